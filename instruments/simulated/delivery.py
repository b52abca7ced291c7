"""Delivery: what of an answer reaches the reader, once the faults that wait have had their say."""

from dataclasses import dataclass

from instruments.simulated.faults import FaultKind, Faults
from instruments.simulated.scpi_instrument import Answer, ScpiInstrument


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An answer on its way."""

    data: bytes
    """What is delivered."""
    whole: bool = True
    """Whether that is all of it."""
    then_drops: bool = False
    """Whether the connection is closed behind it."""
    rest: bytes = b""
    """What comes after a pause."""
    pause_s: float = 0.0
    """Length of that pause, in real seconds."""

    def resumed(self) -> "Delivery":
        """Return it as it is after its pause."""
        return Delivery(data=self.data + self.rest)


def delivered(instrument: ScpiInstrument, answer: Answer | None) -> Delivery | None:
    """Return what is delivered of an answer, None where there is nothing to deliver."""
    faults = instrument.faults
    if answer is None or faults.take(FaultKind.SWALLOW_NEXT_ANSWER, instrument.role):
        return None
    return _block(faults, answer.data) if answer.holds_block else Delivery(data=answer.data)


def _block(faults: Faults, data: bytes) -> Delivery:
    half, rest = data[: len(data) // 2], data[len(data) // 2 :]
    if faults.take(FaultKind.TRUNCATE_NEXT_BLOCK):
        return Delivery(data=half, whole=False)
    if faults.take(FaultKind.DROP_CONNECTION_NEXT_BLOCK):
        return Delivery(data=half, whole=False, then_drops=True)
    if stall := faults.take(FaultKind.STALL_NEXT_BLOCK):
        return Delivery(data=half, whole=False, rest=rest, pause_s=stall.seconds)
    if faults.take(FaultKind.GARBLE_NEXT_BLOCK):
        return Delivery(data=data.replace(b"#8", b"#X", 1))
    return Delivery(data=data)
