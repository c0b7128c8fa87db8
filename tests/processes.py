"""Two processes of ``accelerate launch`` on CPUs, behind the guard that refuses connections that
leave the machine.
"""

import os
import subprocess
import sys
from pathlib import Path

#: ``--cpu`` starts a single process where no MPI is installed; ``--multi_gpu`` means torch's own
#: launcher, which takes CPUs too.
_LAUNCH = (
    *(
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
    ),
    *(
        "--main_process_port",
        "0",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--num_cpu_threads_per_process",
        "1",
    ),
)
_OFFLINE = Path(__file__).parent / "offline"


def launch_two(script: Path, *arguments: str) -> None:
    """Run a script in two processes that meet at 127.0.0.1."""
    guarded = os.pathsep.join(filter(None, (str(_OFFLINE), os.environ.get("PYTHONPATH"))))
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    environment = os.environ | {
        "ACCELERATE_USE_CPU": "true",
        "GLOO_SOCKET_IFNAME": loopback,
        "PYTHONPATH": guarded,
    }
    done = subprocess.run(
        [*_LAUNCH, str(script), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
    )
    assert not done.returncode, done.stderr[-2000:]
