"""Measured run: a user's own inference loop, measured by the lab, as a context manager.

Example:
    with run(network="my-net", batch_size=8) as measured:
        for images in measured.batches(loader):
            model(images)
    print(measured.result.gross_energy_per_image_j)
"""

import logging
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, overload
from uuid import uuid4

from pydantic import ValidationError

from runners.agent_settings import AgentSettings, HandshakeTimeouts
from runners.board_environment import BoardIdentity, board_identity
from runners.driven_workload import DrivenWorkload
from runners.errors import DaemonSilent, MarkerError, ProgramFailed, RunMisused
from runners.item_size import ItemSize
from runners.marked_batches import MarkedBatches
from runners.markers import MarkerOutput, marker_from_url
from runners.messages import SYNC_METHODS, BoardCommand, RunResult
from runners.run_outcome import RunOutcome
from runners.run_thread import RunThread
from runners.topics import Topics

logger = logging.getLogger(__name__)

T = TypeVar("T")

_one_at_a_time = threading.Lock()
"""A board measures one run at a time, and a process is on one board."""


def run(
    *,
    network: str,
    batch_size: int = 1,
    precision: str = "fp32",
    backend: str | None = None,
    captures: int = 1,
    images: int | None = None,
    run_id: str | None = None,
    broker: str | None = None,
    bench: str | None = None,
    board: str | None = None,
    marker: str | None = None,
    sync: Iterable[str] | None = None,
    synchronize: Callable[[], object] | None = None,
    timeouts: HandshakeTimeouts | None = None,
) -> "MeasuredRun":
    """Return a run to be measured; it begins where it is entered, once the network is loaded and warm.

    Args:
        network: Name of the network, 1-64 of `A-Z a-z 0-9 _ . -`; the daemon's `runs.networks` must admit it.
        batch_size: Images in each batch; every batch holds as many.
        precision: Number format, in words.
        backend: What infers, in words, such as `tensorrt`; None: it is not said.
        captures: Records to take of this run.
        images: Images after which no more are wanted; None: on and on until the last record is taken.
        run_id: Identifier; None: a new one.
        broker: `mqtt://[USER@]HOST[:PORT]`, or `mqtts://`, as `runners.broker_address.FORM` says; None:
            `JOULEBENCH_BOARD_BROKER` of the environment.
        bench: Bench that measures; None: `JOULEBENCH_BOARD_BENCH`.
        board: Name of this board; None: `JOULEBENCH_BOARD_NAME`.
        marker: URL of the marker line; None: `JOULEBENCH_BOARD_MARKER`, and `none` where that is not set either.
        sync: Synchronisation methods to offer; None: `marker` alone where there is one, otherwise `clock` and `step`.
        synchronize: Called at the end of each batch, to wait for a device; None: torch's CUDA where it is in use.
        timeouts: How long the daemon is waited for; None: the agent's own.

    Raises:
        RunMisused: An argument is missing or out of bounds; it names them all.
        BrokerUnavailable: The broker's address is none.
    """
    identity = board_identity(broker=broker, bench=bench, board=board, marker=marker)
    order = _order(
        run_id=uuid4().hex if run_id is None else run_id,
        network=network,
        batch_size=batch_size,
        precision=precision,
        backend=backend,
        images_planned=images,
        captures=captures,
    )
    return MeasuredRun(order, identity, sync=_offered(sync), synchronize=synchronize, timeouts=timeouts)


class MeasuredRun:
    """One run, from request to result. Entering waits for the bench, leaving waits for the result.

    Between the two no more than the batches should happen: the 0.2 s before the first one are the idle baseline.
    """

    def __init__(
        self,
        order: BoardCommand,
        identity: BoardIdentity,
        *,
        sync: tuple[str, ...] | None = None,
        synchronize: Callable[[], object] | None = None,
        timeouts: HandshakeTimeouts | None = None,
    ) -> None:
        """Take what to ask for and who asks; nothing is opened yet."""
        Topics(identity.bench).request(identity.board, order.run_id)  # raises where a name fits into no topic
        self._order = order
        self._marker_url = identity.marker_url
        self._synchronize = synchronize
        self._settings = AgentSettings(
            broker=identity.broker,
            bench=identity.bench,
            board=identity.board,
            announce=False,
            sync=sync or ("marker",) if identity.has_marker else sync,
            timeouts=timeouts or HandshakeTimeouts(),
        )
        self._workload = DrivenWorkload(order)
        self._marker: MarkerOutput | None = None
        self._batches: MarkedBatches | None = None
        self._thread: RunThread | None = None
        self._broken: str | None = None
        self._entered = self._over = False
        self._outcome: RunOutcome | None = None

    def __enter__(self) -> Self:
        if self._entered:
            raise RunMisused(f"run {self.run_id} has been entered before; make a new one for each run")
        if not _one_at_a_time.acquire(blocking=False):
            raise RunMisused("another run is open in this process; a board measures one at a time")
        self._entered = True
        try:
            self._begin()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
            else:
                self._abort(error)
        finally:
            self._close()

    @property
    def run_id(self) -> str:
        """Identifier of the run."""
        return self._order.run_id

    @property
    def wanted(self) -> bool:
        """Whether another batch is wanted: the images are not done, and the last record is not taken."""
        planned = self._order.images_planned
        done = planned is not None and self._batches is not None and self._batches.images >= planned
        return not done and not self._over and self._broken is None and self._workload.wanted

    @property
    def result(self) -> RunResult:
        """The energy, once the block is left; raise RunMisused where there is none yet, or never will be."""
        if self._outcome is None or self._outcome.result is None:
            raise RunMisused(f"run {self.run_id} has no result: it is there after the block, where the run was done")
        return self._outcome.result

    @property
    def outcome(self) -> RunOutcome:
        """What became of the run, with this board's own times; raise RunMisused before the end of the block."""
        if self._outcome is None:
            raise RunMisused(f"run {self.run_id} is not over")
        return self._outcome

    def batch(self, images: int | None = None) -> "Batch":
        """Return the context of one batch: the marker is high inside it.

        Args:
            images: Images in it, to be checked; None: the run's batch size.

        Raises:
            RunMisused: The run holds batches of another size: drop a last one that is smaller.
        """
        if images is not None and images != self._order.batch_size:
            size = self._order.batch_size
            raise RunMisused(f"a batch of {images} images in a run of batches of {size}; leave out a last, smaller one")
        return Batch(self)

    @overload
    def batches(self) -> Iterator[None]: ...
    @overload
    def batches(self, items: Iterable[T]) -> Iterator[T]: ...
    def batches(self, items: Iterable[Any] | None = None) -> Iterator[Any]:
        """Yield items while batches are wanted; the loop's body is the batch. Without items: None, again and again.

        A `break` in the body spoils the run: nobody can tell whether the batch had been run. `end_batch()` before it
        says that it had.

        Raises:
            RunMisused: An item shows that it holds more or fewer images than the run's batches.
        """
        endless: Iterator[None] = iter(lambda: None, 0)
        size = ItemSize(self._order.batch_size)
        for item in endless if items is None else items:
            if not self.wanted:
                return
            size.check(item)
            self.begin_batch()
            try:
                yield item
            except GeneratorExit:
                self._leave_batch()
                raise
            if self._is_in_batch:
                self.end_batch()

    def begin_batch(self) -> None:
        """Set the marker high; `batch()` calls this. Raise RunMisused where no batch may begin."""
        if not self._entered or self._over or self._batches is None:
            when = "is over" if self._over else "has not begun"
            raise RunMisused(f"run {self.run_id} {when}: batches belong into its `with` block")
        if self._batches.open:
            raise RunMisused("a batch is running; end it first (the body of `batches()` is one by itself)")
        if self._broken is not None:
            raise RunMisused(f"no batch can follow: {self._broken}")
        self._batches.begin()

    def end_batch(self) -> None:
        """Wait for the device, set the marker low, and count the batch; `batch()` calls this."""
        if not self._is_in_batch:
            raise RunMisused("no batch is running")
        assert self._batches is not None
        if self._synchronize is not None:
            self._synchronize()
        self._batches.end()

    def drop_batch(self, error: BaseException) -> None:
        """Set the marker low; the run is broken, for its record shows a batch that was none."""
        self._broken = f"batch {len(self._batches or ()) + 1} broke: {ProgramFailed.from_exception(error)}"
        if self._batches is not None and self._batches.open:
            self._batches.drop()

    def _leave_batch(self) -> None:
        """Set the marker low where a loop was left in its body; the record has a pulse then that is no batch."""
        if self._batches is None or not self._batches.open:
            return
        self._broken = self._broken or (
            f"the loop was left in the body of batch {len(self._batches) + 1}, so nobody can tell whether it was "
            "run; say how many there are (images=), or call end_batch() before the break"
        )
        self._batches.drop()

    @property
    def _is_in_batch(self) -> bool:
        return self._batches is not None and self._batches.open

    def _begin(self) -> None:
        self._synchronize = self._synchronize or _cuda_synchronize()
        self._marker = marker = marker_from_url(self._marker_url)
        marker.set(False)  # a marker that is not there is to be known before the bench is asked for
        self._batches = MarkedBatches(marker, batch_size=self._order.batch_size)
        self._thread = RunThread(self._settings, self._order, self._workload, marker)
        try:
            self._thread.start()
            may_run = self._workload.until_decided()
        except BaseException:  # Ctrl-C while the bench is waited for
            self._thread.cancel()
            raise
        if not may_run:
            self._conclude(self._thread)

    def _finish(self) -> None:
        """Say finished, and wait for the result."""
        assert self._batches is not None
        assert self._thread is not None
        self._leave_batch()  # `break` in the body of `batches()`, whose generator somebody holds
        if self._broken is not None:
            self._workload.fail(ProgramFailed(self._broken))
        elif not len(self._batches):
            self._workload.fail(ProgramFailed("the block ended without a batch"))
        else:
            self._workload.end(self._batches.report())
        self._conclude(self._thread)

    def _conclude(self, thread: RunThread) -> None:
        """Wait for the end of the run; raise where it is no good one."""
        try:
            self._outcome = outcome = thread.join()
        except KeyboardInterrupt:
            thread.cancel()
            raise
        if isinstance(outcome.cause, DaemonSilent | MarkerError):
            raise outcome.cause
        outcome.raise_unless_done()

    def _abort(self, error: BaseException) -> None:
        """Tell the lab why the block was left; what left it goes on by itself."""
        assert self._batches is not None
        assert self._thread is not None
        try:
            self._batches.drop()
        except MarkerError as problem:
            logger.warning("run %s: %s", self.run_id, problem)
        self._workload.fail(ProgramFailed.from_exception(error))
        try:
            self._outcome = self._thread.join()
        except Exception as problem:  # the block's own exception says more
            logger.warning("run %s: %s", self.run_id, problem)

    def _close(self) -> None:
        self._over = True
        try:
            if self._marker is not None:
                self._marker.close()
        finally:
            _one_at_a_time.release()


class Batch:
    """The context of one batch."""

    __slots__ = ("_run",)

    def __init__(self, run: MeasuredRun) -> None:
        self._run = run

    def __enter__(self) -> None:
        self._run.begin_batch()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._run.end_batch()
        else:
            self._run.drop_batch(error)


def _order(**wish: Any) -> BoardCommand:
    try:
        return BoardCommand(**wish)
    except ValidationError as error:
        problems = [f"{one['loc'][0]}: {one['msg']}, got {one['input']!r:.80}" for one in error.errors()]
        raise RunMisused("; ".join(problems).replace("images_planned", "images")) from None


def _offered(sync: Iterable[str] | None) -> tuple[str, ...] | None:
    methods = None if sync is None else tuple([sync] if isinstance(sync, str) else sync)
    if methods is not None and (not methods or set(methods) - set(SYNC_METHODS)):
        raise RunMisused(f"sync: want some of {', '.join(SYNC_METHODS)}, got {methods!r}")
    return methods


def _cuda_synchronize() -> Callable[[], object] | None:
    """Return torch's wait for the device where the program uses one; nothing is imported for it."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return cuda.synchronize if cuda is not None and cuda.is_initialized() else None
