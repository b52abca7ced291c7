"""Sessions to scripted instruments."""

from collections.abc import Callable, Iterator

import pytest

from instruments.visa_session import VisaSession
from tests.unit.instruments.scripted_instrument import Answer, ScriptedInstrument

Served = Callable[..., tuple[VisaSession, ScriptedInstrument]]


@pytest.fixture
def served() -> Iterator[Served]:
    """Open sessions to scripted instruments; everything is closed after the test."""
    opened: list[tuple[VisaSession, ScriptedInstrument]] = []

    def open_session(
        answer: Answer, timeout_s: float = 2.0, role: str = "oscilloscope"
    ) -> tuple[VisaSession, ScriptedInstrument]:
        instrument = ScriptedInstrument(answer)
        instrument.__enter__()
        session = VisaSession.open(instrument.resource, role=role, timeout_s=timeout_s)
        opened.append((session, instrument))
        return session, instrument

    yield open_session
    for session, instrument in opened:
        session.close()
        instrument.__exit__(None, None, None)
