"""What can go wrong on the board side, and in the messages between the two sides.

RunnerError
|- MessageError        a message or topic outside the contract: where, what, and the bound
|- UnknownNetwork      a network that this board cannot run
|- WorkloadError       the inference, or what it needs, cannot be had as asked for
|  `- Unsupported      a back end, device or precision that there is not
|- DatasetError        labelled images, or what says their labels, cannot be used as they are
|  `- DamagedImage     one image that cannot be read
|- OutOfMemory         the network and its batch do not fit into memory
|- MarkerError         the marker output cannot be opened or does not answer
|- DaemonSilent        the daemon did not say in time what it should have
|- RunRejected         the daemon refused the run, before anything was promised
|- RunFailed           the run broke on the way, or was interrupted
|- RunMisused          a measured run was used in a way that has no meaning; the program is to be corrected
|- ProgramFailed       what was measured broke: the user's own code or command
|- CampaignFileError   a campaign's file: every problem of it at once
|- JournalError        a campaign's journal: damaged, in use, or of another campaign
|- CampaignStalled     what a campaign waits for did not come back; it can be gone on with
`- BrokerUnavailable   no connection to the MQTT broker
"""

from collections.abc import Iterable, Sequence

from metrology.errors import JoulebenchError
from runners.count_text import listed_problems


class RunnerError(JoulebenchError):
    """Root of the board side's errors."""

    reason = "runner_error"
    """Reason code, for the message that tells the other side."""


class MessageError(RunnerError):
    """A message or topic that the contract does not allow, with its first problems."""

    reason = "bad_message"

    def __init__(self, topic: str, problems: Sequence[str]) -> None:
        self.topic = topic
        self.problems = tuple(problems)
        super().__init__(f"message on {topic}: " + "; ".join(self.problems))


class UnknownNetwork(RunnerError):
    """A network that this board cannot run."""

    reason = "unknown_network"

    def __init__(self, network: str, known: Iterable[str]) -> None:
        self.network = network
        self.known = tuple(known)
        super().__init__(f"network {network!r} is not one that this board runs; it runs {', '.join(self.known)}")


class WorkloadError(RunnerError):
    """The inference cannot be run as asked for: a missing package, device or precision."""

    reason = "workload_failed"


class Unsupported(WorkloadError):
    """A back end, a device or a precision that there is not, however often it is asked for."""

    reason = "unsupported"


class DatasetError(RunnerError):
    """Labelled images, or what says their labels, cannot be used as they are."""


class DamagedImage(DatasetError):
    """An image that cannot be read."""

    def __init__(self, name: str, problem: str) -> None:
        self.name = name
        self.problem = problem
        super().__init__(f"image {name} is damaged: {problem}")


class OutOfMemory(RunnerError):
    """A network and its batch that do not fit into memory, by estimate or because an allocation failed."""

    reason = "out_of_memory"

    def __init__(
        self,
        network: str,
        batch_size: int,
        precision: str,
        problem: str,
        *,
        needed_bytes: int | None = None,
        available_bytes: int | None = None,
        largest_batch: int | None = None,
    ) -> None:
        """Take what was asked for and what is wrong; where it was estimated, the sizes.

        `largest_batch` is the largest power of two that would fit; 0: not even one image would.
        """
        self.network = network
        self.batch_size = batch_size
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes
        self.largest_batch = largest_batch
        advice = {None: "", 0: "; not even one image would fit"}.get(
            largest_batch, f"; the largest power of two that would fit is {largest_batch}"
        )
        super().__init__(f"{network} with batch size {batch_size} in {precision} is too large: {problem}{advice}")


class MarkerError(RunnerError):
    """The marker output cannot be opened, or does not take a level."""

    reason = "marker_failed"

    def __init__(self, url: str, operation: str, problem: str) -> None:
        self.url = url
        self.operation = operation
        super().__init__(f"marker {url}: cannot {operation}: {problem}")


class DaemonSilent(RunnerError):
    """The daemon did not answer in time."""

    reason = "daemon_silent"

    def __init__(self, awaited: str, waited_s: float, last_phase: str | None, *, bench: str | None = None) -> None:
        self.awaited = awaited
        self.waited_s = waited_s
        self.last_phase = last_phase
        where = "" if bench is None else f" of bench {bench!r}"
        silent = "it has not spoken: does it run, on a bench of this name?"
        last = f"its last word was {last_phase}" if last_phase else silent
        super().__init__(f"no {awaited} from the daemon{where} within {waited_s:g} s; {last}")


class RunRejected(RunnerError):
    """The daemon refused the run before arming; nothing was measured."""

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        self.text = text
        super().__init__(f"run rejected ({reason}): {text}")


class RunFailed(RunnerError):
    """The run broke on the way."""

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        self.text = text
        super().__init__(f"run failed ({reason}): {text}")


class CampaignFileError(RunnerError):
    """A campaign's file that describes none; lists all of its problems."""

    def __init__(self, path: object, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(listed_problems(f"{path}", self.problems, of="the campaign"))


class JournalError(RunnerError):
    """A campaign's journal that cannot be gone on with."""

    def __init__(self, path: object, problem: str) -> None:
        super().__init__(f"journal {path}: {problem}")


class CampaignStalled(RunnerError):
    """What a campaign waits for did not come back in time. All that is done is journalled."""

    def __init__(self, awaited: str, waited_s: float) -> None:
        self.awaited = awaited
        super().__init__(
            f"waited {waited_s:g} s for {awaited}; what is measured is kept: mend it, and run the campaign again"
        )


class RunMisused(RunnerError):
    """A measured run was used in a way that has no meaning: too early, too late, twice, or with settings missing."""


class ProgramFailed(RunnerError):
    """What was measured broke: the block of a user's program, or a command."""

    reason = "program_failed"

    def __init__(self, text: str, *, reason: str | None = None) -> None:
        if reason is not None:
            self.reason = reason
        super().__init__(text)

    @classmethod
    def from_exception(cls, error: BaseException) -> "ProgramFailed":
        """Return what the lab is told of an exception that went through a user's block."""
        if isinstance(error, RunnerError):
            return cls(str(error), reason=error.reason)
        return cls(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


class BrokerUnavailable(RunnerError):
    """The MQTT broker cannot be reached."""

    reason = "broker_unavailable"

    def __init__(self, host: str, port: int, problem: str) -> None:
        self.host = host
        self.port = port
        where = f"MQTT broker {host}:{port} is not available" if port else f"{host!r} is no address of an MQTT broker"
        super().__init__(f"{where}: {problem}")
