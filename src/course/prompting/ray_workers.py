"""Ray as the backend of ``joblib``: sweeps and comparisons computed on many machines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from types import ModuleType

from joblib import parallel_config


@contextmanager
def on_ray(jobs: int, address: str | None = None) -> Iterator[None]:
    """Sweeps inside this block are computed by workers of Ray: ``with on_ray(64, "auto"):
    sweep(...)``.

    A worker that dies is started again, and what it was measuring is measured again, up to three
    times.

    Args:
        jobs: workers.
        address: of a cluster that runs already (``"auto"``: the one that this machine belongs to).
            By default Ray is started here, listens to this machine alone (127.0.0.1), and is
            stopped at the end. A process does one or the other.

    Raises:
        ImportError: if Ray is not installed.
        RuntimeError: if a Ray that is to be started here would listen to other machines, since it
            was imported before.
    """
    ray = _imported_ray(local=address is None)
    started = not ray.is_initialized()
    if started and address is None:
        _check_listens_here_alone(ray)
        ray.init(num_cpus=jobs, include_dashboard=False, log_to_driver=False)
    elif started:
        ray.init(address=address)
    again = {"max_restarts": -1, "max_task_retries": 3}
    try:
        with parallel_config("ray", n_jobs=jobs, ray_remote_args=again):
            yield
    finally:
        if started:
            ray.shutdown()


def _imported_ray(local: bool) -> ModuleType:
    """Ray, with its backend for ``joblib`` registered."""
    if local:
        # what Ray does on Windows and macOS anyway; it is read when Ray is imported, and no
        # argument of ray.init says it
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        # by default workers have a niceness of 15: beside any other work they hardly come to
        # importing torch, while those of joblib have that of this process
        os.environ.setdefault("RAY_worker_niceness", "0")
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise ImportError(
            "Ray is not installed; in the folder of the course: pip install -e '.[cluster]'"
        ) from error
    register_ray()
    return ray


def _check_listens_here_alone(ray: ModuleType) -> None:
    here = ray.util.get_node_ip_address()
    if not ip_address(here).is_loopback:
        raise RuntimeError(
            f"Ray was imported before, for clusters, and would listen at {here}: expected the "
            "loopback address; call on_ray before anything imports ray, or name a cluster's address"
        )
