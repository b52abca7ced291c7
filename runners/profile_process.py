"""Profile process: each batch size in a new process of its own.

So a peak is that of this batch and not of the one before it, whose memory the allocator may keep; and the kernel, which
ends a process where memory runs out, ends that one and not the caller.
"""

import multiprocessing
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection

from runners.allocation_failure import is_allocation_failure
from runners.batch_profile import BatchProfile, profile_batch
from runners.errors import OutOfMemory, RunnerError, WorkloadError
from runners.networks.catalogue import network_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileOrder:
    """What is to be profiled."""

    network: str
    """Name of the network."""
    batch_size: int
    """Images in one batch."""
    precision: str
    """Number format."""
    engine: str
    """What infers: `torch`, `compile` or `onnx`."""
    device: str
    """`auto`, `cpu` or `cuda`."""
    threads: int | None
    """Threads of inference on the CPU; None: as many as torch takes."""
    seconds: float
    """How long batches are timed, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a batch size was not profiled."""

    reason: str
    """Reason code."""
    text: str
    """The reason in words."""
    largest_batch: int | None
    """The largest power of two that would fit; 0: none; None: it is not known."""


def profile_in_process(order: ProfileOrder) -> BatchProfile | Refused:
    """Return what a new process measured, or why it did not."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=profile_and_send, args=(order, sending), name="joulebench-profile")
    process.start()
    sending.close()
    try:
        found: BatchProfile | Refused = receiving.recv()
    except EOFError:
        process.join()
        return _ended(order, process.exitcode)
    except BaseException:
        process.kill()  # whoever interrupts the caller wants the inference to end, and its memory back
        raise
    finally:
        receiving.close()
        process.join()
    return found


def profile_and_send(order: ProfileOrder, sending: Connection) -> None:
    """Profile, and send what was found; in the new process."""
    if multiprocessing.parent_process() is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the caller ends this one
    try:
        sending.send(_profile(order))
    except OutOfMemory as error:
        sending.send(_refused(error))
    except RunnerError as error:
        sending.send(Refused(reason=error.reason, text=str(error), largest_batch=None))
    except Exception as error:
        if is_allocation_failure(error):
            sending.send(_refused(_too_large(order, f"an allocation failed ({error})")))
        else:
            text = f"{type(error).__name__}: {error}"
            sending.send(Refused(reason=WorkloadError.reason, text=text, largest_batch=None))


def _profile(order: ProfileOrder) -> BatchProfile:
    import torch

    from runners.backends.registry import open_backend

    if order.threads is not None:
        torch.set_num_threads(order.threads)
    return profile_batch(
        network_spec(order.network),
        batch_size=order.batch_size,
        precision=order.precision,
        backend=open_backend(order.engine, order.device),
        seconds=order.seconds,
    )


def _ended(order: ProfileOrder, exitcode: int | None) -> Refused:
    """Return what a process means that ended without a word."""
    if exitcode == -signal.SIGKILL:
        return _refused(_too_large(order, "its process was killed, as the kernel does where memory runs out"))
    text = f"the process that was to measure it ended with status {exitcode}"
    return Refused(reason=WorkloadError.reason, text=text, largest_batch=None)


def _too_large(order: ProfileOrder, problem: str) -> OutOfMemory:
    return OutOfMemory(order.network, order.batch_size, order.precision, problem)


def _refused(error: OutOfMemory) -> Refused:
    return Refused(reason=OutOfMemory.reason, text=str(error), largest_batch=error.largest_batch)
