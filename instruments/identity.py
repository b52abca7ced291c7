"""Identity: who answers at an address."""

from collections.abc import Iterable
from dataclasses import dataclass

from instruments.errors import BadAnswer, WrongInstrument
from instruments.visa_session import VisaSession

VENDORS = ("AGILENT", "KEYSIGHT", "HEWLETT-PACKARD")
"""One maker under its successive names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Answer to `*IDN?`."""

    vendor: str
    """Maker, as it writes itself."""
    model: str
    """Model, such as `MSO-X 2024A`."""
    serial: str
    """Serial number; `0` where the instrument has none to tell."""
    firmware: str
    """Revision of the firmware."""


def parse_identity(answer: str, *, instrument: str) -> Identity:
    """Parse an answer to `*IDN?`.

    Raises:
        BadAnswer: it has not four fields.
    """
    fields = [field.strip() for field in answer.split(",")]
    if len(fields) != 4:
        text = f"identity must have four fields, got {answer!r}"
        raise BadAnswer(text, instrument=instrument, operation="*IDN?")
    return Identity(vendor=fields[0], model=fields[1], serial=fields[2], firmware=fields[3])


def expect_model(session: VisaSession, models: Iterable[str], vendors: tuple[str, ...] = VENDORS) -> str:
    """Get the identity string of an instrument that must be one of these models.

    Args:
        session: the way to the instrument.
        models: models as they write themselves, in capitals.
        vendors: makers, in capitals, by how their names begin.

    Raises:
        WrongInstrument: another maker or model answers, or something that is no instrument.
    """
    answer = session.query("*IDN?")
    wanted = tuple(models)
    try:
        identity = parse_identity(answer, instrument=session.role)
    except BadAnswer as error:
        raise _wrong(session, wanted, answer) from error
    if not identity.vendor.upper().startswith(vendors) or identity.model.upper() not in wanted:
        raise _wrong(session, wanted, answer)
    return answer


def _wrong(session: VisaSession, wanted: tuple[str, ...], answer: str) -> WrongInstrument:
    text = f"expected {' or '.join(wanted)} at {session.resource}, but {answer!r} answers; correct the resource name"
    return WrongInstrument(text, instrument=session.role, operation="*IDN?")
