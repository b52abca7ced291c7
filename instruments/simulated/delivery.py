"""Delivery: what of an answer reaches the reader, once the faults that wait have had their say."""

from dataclasses import dataclass

from instruments.simulated.faults import FaultKind
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


def delivered(instrument: ScpiInstrument, answer: Answer | None) -> Delivery | None:
    """Return what is delivered of an answer, None where there is nothing to deliver."""
    faults = instrument.faults
    if answer is None or faults.take(FaultKind.SWALLOW_NEXT_ANSWER, instrument.role):
        return None
    half = answer.data[: len(answer.data) // 2]
    if answer.holds_block and faults.take(FaultKind.TRUNCATE_NEXT_BLOCK):
        return Delivery(data=half, whole=False)
    if answer.holds_block and faults.take(FaultKind.DROP_CONNECTION_NEXT_BLOCK):
        return Delivery(data=half, whole=False, then_drops=True)
    return Delivery(data=answer.data)
