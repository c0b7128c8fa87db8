"""From the environment alone, in processes of their own: a first run fetches, a second one needs no
hub.
"""

import json
import os
import subprocess
import sys

from hub.checkpoints import bert, smollm2
from hub.conftest import TEXTS
from hub.server import Hub
from hub.tables import gsm8k

from course.models.roles import HUB

_RUN = """
import json
from course.lm.language_model import load
from course.tasks.registry import load_task

gpt, bert = load("gpt-middle"), load("bert-middle")
print(json.dumps({
    "next": gpt.next_word(["The capital of France is"]).sum().item(),
    "blank": bert.blank(["the capital of [MASK] is paris ."]).sum().item(),
    "problem": load_task("problem", sizes={"test": 3}).examples("test")[0].input,
}))
"""


def run(hub: Hub, folder) -> subprocess.CompletedProcess:
    """What a reader has: the tier in the environment, and a working directory."""
    settings = {
        "COURSE_TIER": "hub",
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_XET": "1",
    }
    environment = os.environ | settings
    return subprocess.run(
        [sys.executable, "-c", _RUN], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_a_second_run_reads_the_cache_and_gives_the_same(hub, tmp_path):
    hub.add("models", HUB["gpt-middle"].repository, smollm2(TEXTS))
    hub.add("models", HUB["bert-middle"].repository, bert(TEXTS))
    hub.add("datasets", "openai/gsm8k", gsm8k())
    first = run(hub, tmp_path)
    assert first.returncode == 0, first.stderr
    assert len(json.loads((tmp_path / "course-hub-lock.json").read_text(encoding="utf-8"))) == 3
    hub.stop()
    second = run(hub, tmp_path)
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout
