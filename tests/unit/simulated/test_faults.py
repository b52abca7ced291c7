"""Faults wait for their moment, happen once, and concern whom they name."""

import pytest

from instruments.simulated.faults import Fault, FaultKind, Faults, Role, fault_of
from metrology.errors import MetrologyError


def test_a_fault_happens_once() -> None:
    faults = Faults()
    faults.inject("truncate_next_block")
    assert faults.take(FaultKind.TRUNCATE_NEXT_BLOCK)
    assert not faults.take(FaultKind.TRUNCATE_NEXT_BLOCK)
    assert faults.struck == 1


def test_what_waits_can_be_seen_and_healed() -> None:
    faults = Faults()
    faults.inject("stall_next_block", seconds=0.3)
    assert faults.waiting == [Fault(kind=FaultKind.STALL_NEXT_BLOCK, seconds=0.3)]
    faults.inject("heal")
    assert faults.waiting == []
    assert faults.struck == 0


def test_a_wrong_identity_lasts_until_it_is_healed_and_is_one_instruments() -> None:
    faults = Faults()
    faults.inject(FaultKind.WRONG_IDENTITY, Role.OSCILLOSCOPE)
    assert faults.identity(Role.OSCILLOSCOPE, "me") != "me"
    assert faults.identity(Role.OSCILLOSCOPE, "me") != "me"
    assert faults.identity(Role.POWER_SUPPLY, "me") == "me"
    faults.inject("heal")
    assert faults.identity(Role.OSCILLOSCOPE, "me") == "me"


def test_what_strikes_at_once_is_told_to_its_victim_and_never_waits() -> None:
    faults, told = Faults(), list[Fault]()
    faults.at_once(FaultKind.QUEUE_ERROR, told.append, role=Role.OSCILLOSCOPE)
    faults.inject("queue_error", "oscilloscope", code=-222)
    assert told == [Fault(kind=FaultKind.QUEUE_ERROR, role=Role.OSCILLOSCOPE, code=-222)]
    assert faults.waiting == []
    assert faults.struck == 1


def test_what_is_left_out_has_a_default() -> None:
    assert fault_of("cc_excursion").seconds == 0.05
    assert fault_of("queue_error", "power_supply").code == -310


@pytest.mark.parametrize(
    ("kind", "role", "numbers", "match"),
    [
        ("meteor", None, {}, "kind must be one of"),
        (None, None, {}, "kind must be one of"),
        ("wrong_identity", "toaster", {}, "role one of"),
        ("wrong_identity", None, {}, "needs a role"),
        ("queue_error", "power_supply", {"code": -999}, "code must be one of"),
        ("queue_error", "power_supply", {"code": True}, "code must be one of"),
        ("late_trigger", None, {"seconds": 0}, "must lie in 0..3600"),
        ("late_trigger", None, {"seconds": "soon"}, "must lie in 0..3600"),
        ("late_trigger", None, {"seconds": float("nan")}, "must lie in 0..3600"),
        ("no_trigger", None, {"seconds": 1.0}, "takes no seconds"),
        ("stall_next_block", None, {"code": -222}, "takes no code"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(kind: str, role: str | None, numbers: dict[str, float], match: str) -> None:
    faults = Faults()
    with pytest.raises(MetrologyError, match=match):
        faults.inject(kind, role, **numbers)
    assert faults.waiting == []
