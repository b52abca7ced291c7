"""joulebench for your own program: measure the energy per image of your own inference loop.

Example:
    import joulebench

    with joulebench.run(network="my-net", batch_size=8) as run:
        for images in run.batches(loader):
            model(images)
    print(run.result.gross_energy_per_image_j)

On the lab side, `joulebench.load(DIRECTORY)` gives what was measured as pandas frames.

Everything here is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daemon.stored_data import StoredData, load
    from runners.errors import (
        BrokerUnavailable,
        DaemonSilent,
        MarkerError,
        MessageError,
        RunFailed,
        RunMisused,
        RunnerError,
        RunRejected,
    )
    from runners.measured_run import MeasuredRun, run
    from runners.messages import Quantity, RunResult
    from runners.run_outcome import RunOutcome

    __version__: str

_HOMES = {
    "BrokerUnavailable": "runners.errors",
    "DaemonSilent": "runners.errors",
    "MarkerError": "runners.errors",
    "MeasuredRun": "runners.measured_run",
    "MessageError": "runners.errors",
    "Quantity": "runners.messages",
    "RunFailed": "runners.errors",
    "RunMisused": "runners.errors",
    "RunOutcome": "runners.run_outcome",
    "RunRejected": "runners.errors",
    "RunResult": "runners.messages",
    "RunnerError": "runners.errors",
    "StoredData": "daemon.stored_data",
    "load": "daemon.stored_data",
    "run": "runners.measured_run",
}

__all__ = [
    "BrokerUnavailable",
    "DaemonSilent",
    "MarkerError",
    "MeasuredRun",
    "MessageError",
    "Quantity",
    "RunFailed",
    "RunMisused",
    "RunOutcome",
    "RunRejected",
    "RunResult",
    "RunnerError",
    "StoredData",
    "__version__",
    "load",
    "run",
]


def _home_of(name: str) -> Any:
    """Return the module that a name is from.

    Raises:
        ModuleNotFoundError: it is of the lab side, whose packages are not installed here.
    """
    home = _HOMES[name]
    try:
        return import_module(home)
    except ModuleNotFoundError as error:
        if not home.startswith("daemon."):
            raise
        text = f'joulebench.{name} needs {error.name}, which is not installed here: pip install "joulebench[lab]"'
        raise ModuleNotFoundError(text, name=error.name) from error


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = import_module("importlib.metadata").version("joulebench")
    elif name in _HOMES:
        value = getattr(_home_of(name), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
