"""Faults wait for their moment, happen once, and concern whom they name."""

import pytest

from instruments.simulated.faults import FaultKind, Faults, Role
from metrology.errors import MetrologyError


def test_a_fault_happens_once() -> None:
    faults = Faults()
    faults.inject("truncate_next_block")
    assert faults.take(FaultKind.TRUNCATE_NEXT_BLOCK)
    assert not faults.take(FaultKind.TRUNCATE_NEXT_BLOCK)


def test_a_wrong_identity_lasts_until_it_is_healed_and_is_one_instruments() -> None:
    faults = Faults()
    faults.inject(FaultKind.WRONG_IDENTITY, Role.OSCILLOSCOPE)
    assert faults.identity(Role.OSCILLOSCOPE, "me") != "me"
    assert faults.identity(Role.OSCILLOSCOPE, "me") != "me"
    assert faults.identity(Role.POWER_SUPPLY, "me") == "me"
    faults.inject("heal")
    assert faults.identity(Role.OSCILLOSCOPE, "me") == "me"


@pytest.mark.parametrize(("kind", "role"), [("meteor", None), ("wrong_identity", "toaster"), ("wrong_identity", None)])
def test_a_fault_that_cannot_be_is_refused(kind: str, role: str | None) -> None:
    with pytest.raises(MetrologyError, match="fault"):
        Faults().inject(kind, role)
