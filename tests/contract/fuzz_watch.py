"""What must hold of a simulated instrument whatever was sent to it, and who sent what when it does not."""

import sys
import time
from collections import deque
from types import TracebackType
from typing import Any, Self

from instruments.simulated.scope_dialect import ERROR_QUEUE_DEPTH as SCOPE_QUEUE_DEPTH
from instruments.simulated.scpi_instrument import MAX_ANSWER_BYTES, Answer, ScpiInstrument

LIMIT_S = 10.0
"""How long a batch of messages may take: it needs some hundredths of a second."""
LARGEST_BLOCK_BYTES = 2_000_000
"""A record of 100 000 points as text."""
DECLARED = {
    '-102,"Syntax error"', '-104,"Data type error"', '-108,"Parameter not allowed"', '-109,"Missing parameter"',
    '-113,"Undefined header"', '-131,"Invalid suffix"', '-141,"Invalid character data"', '-161,"Invalid block data"',
    '-221,"Settings conflict"', '-222,"Data out of range"', '-224,"Illegal parameter value"',
    '-230,"Data corrupt or stale"', '-241,"Hardware missing"', '-350,"Queue overflow"', '-363,"Input buffer overrun"',
    '-410,"Query INTERRUPTED"', '-420,"Query UNTERMINATED"', '-430,"Query DEADLOCKED"',
    '+514,"Command allowed only with RS-232"',
}  # fmt: skip
"""Every entry that an error queue may hold."""
NO_ERROR = '+0,"No error"'


class Watch:
    """Counts the messages of a test, bounds the time of each batch, and tells the last messages where one fails."""

    def __init__(self, name: str, seed: int, *, limit_s: float = LIMIT_S) -> None:
        self.name = name
        self._limit_s = limit_s
        self.count = 0
        self._recent: deque[bytes] = deque(maxlen=100)
        self._seed = seed
        self._begun_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        told = [f"{self.name}: {self.count} messages, seed {self._seed}"]
        if error is not None:
            told += ["the last messages, latest first:", *(repr(message[:300]) for message in reversed(self._recent))]
        sys.stdout.write("\n".join(told) + "\n")  # shown where the test fails

    def sent(self, message: bytes) -> bytes:
        """Note a message that is about to be sent."""
        self.count += 1
        self._recent.append(message)
        return message

    def recall(self, message: bytes) -> None:
        """Note what came of a message, to be told with it."""
        self._recent.append(message)

    def end_batch(self) -> None:
        """Check that the messages since the last batch took no longer than they may."""
        now_s = time.monotonic()
        took_s, self._begun_s = now_s - self._begun_s, now_s
        assert took_s <= self._limit_s, f"a batch took {took_s:.1f} s"


def assert_bounded(answer: Answer | None, message: bytes) -> None:
    if answer is not None:
        queries = max(message.count(b"?"), 1)
        assert len(answer.data) <= min(queries * LARGEST_BLOCK_BYTES, MAX_ANSWER_BYTES + LARGEST_BLOCK_BYTES)
        assert answer.data.endswith(b"\n")


def assert_well(instrument: ScpiInstrument, identity: str) -> list[str]:
    """Return the errors that were queued; after a device clear the instrument must answer as if nothing had been."""
    instrument.device_clear()
    errors = drained(instrument)
    assert set(errors) <= DECLARED, set(errors) - DECLARED
    assert _asked(instrument, "*CLS;*OPC?") == "1"
    assert _asked(instrument, "*IDN?") == identity
    assert _asked(instrument, "SYSTem:ERRor?") == NO_ERROR
    return errors


def drained(instrument: ScpiInstrument) -> list[str]:
    errors: list[str] = []
    while (entry := _asked(instrument, "SYSTem:ERRor?")) != NO_ERROR:
        errors.append(entry)
        assert len(errors) <= SCOPE_QUEUE_DEPTH
    return errors


def _asked(instrument: Any, message: str) -> str:
    answer = instrument.receive(message.encode())
    assert answer is not None
    return answer.data.decode("ascii").removesuffix("\n")
