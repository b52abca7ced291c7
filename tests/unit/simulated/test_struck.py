"""What faults do to the world and to the instruments, on a clock moved by hand."""

import pytest

from instruments.simulated.delivery import Delivery, delivered
from instruments.simulated.faults import FaultKind, Role
from instruments.simulated.scpi_instrument import Answer
from instruments.simulated.supply_physics import SupplyStatus
from tests.unit.simulated.hand_clock import HandBench

BLOCK = Answer(b"#800000004abcd\n", holds_block=True)
PULSES = [(0.15, 0.005)] * 4


@pytest.fixture
def bench() -> HandBench:
    made = HandBench(seed=3)
    made.prepare()
    return made


def block_after(bench: HandBench, kind: FaultKind, **numbers: float) -> Delivery:
    bench.faults.inject(kind, **numbers)
    found = delivered(bench.scope, BLOCK)
    assert found is not None
    assert delivered(bench.scope, BLOCK) == Delivery(data=BLOCK.data)
    return found


def test_a_garbled_block_has_no_header(bench: HandBench) -> None:
    assert block_after(bench, FaultKind.GARBLE_NEXT_BLOCK).data == b"#X00000004abcd\n"


def test_a_stalled_block_comes_in_two_parts(bench: HandBench) -> None:
    found = block_after(bench, FaultKind.STALL_NEXT_BLOCK, seconds=0.5)
    assert (found.pause_s, found.whole) == (0.5, False)
    assert found.resumed() == Delivery(data=BLOCK.data)
    assert len(found.data) == len(BLOCK.data) // 2


def test_an_answer_without_block_suffers_no_fault_of_blocks(bench: HandBench) -> None:
    bench.faults.inject(FaultKind.GARBLE_NEXT_BLOCK)
    assert delivered(bench.scope, Answer(b"+0\n", holds_block=False)) == Delivery(data=b"+0\n")
    assert bench.faults.waiting


def test_a_late_trigger_moves_the_record(bench: HandBench) -> None:
    bench.faults.inject("late_trigger", seconds=0.1)
    bench.capture(PULSES)
    acquired = bench.truth.since(0)[-1]
    first_rise_s = bench.world.marker_pulses(0.0, bench.clock.now_s())[0][0]
    assert acquired.trigger_s - first_rise_s == pytest.approx(0.1, abs=1e-3)
    assert len(acquired.pulses) == len(PULSES)  # a division lies before the trigger


def test_a_missed_edge_leaves_the_scope_waiting_until_it_is_forced(bench: HandBench) -> None:
    bench.faults.inject("no_trigger")
    bench.write(":SINGle")
    bench.wait(0.25)
    bench.world.play(PULSES)
    bench.wait(3.0, steps=6)
    assert bench.ask(":OPERegister:CONDition?") == "+40"
    bench.write(":TRIGger:FORCe")
    bench.wait(3.0, steps=6)
    assert bench.ask(":OPERegister:CONDition?") == "+0"
    bench.capture(PULSES)  # the next acquisition sees its edges


def test_a_cc_excursion_is_latched_ends_and_takes_power_from_the_board(bench: HandBench) -> None:
    bench.wait(0.5)
    bench.set_supply("*CLS")
    _, before_a = bench.world.supply_means()
    begun_s = bench.clock.now_s()
    bench.world.hold_current(0.1)
    bench.wait(0.09)
    assert not bench.world.held_voltage(begun_s, bench.clock.now_s())
    assert bench.world.supply_mode() is SupplyStatus.VOLTAGE_UNREGULATED
    held_v, held_a = bench.world.supply_means(over_s=0.01)
    assert held_a == pytest.approx(before_a / 2, rel=0.15)  # the output's capacitor charges from it too
    assert held_v < 15.0
    bench.wait(0.5)
    assert bench.world.supply_mode() is SupplyStatus.CURRENT_UNREGULATED
    now_s = bench.clock.now_s()
    assert bench.world.held_voltage(begun_s - 0.4, begun_s - 0.001)
    assert not bench.world.held_voltage(begun_s - 0.4, now_s)
    assert bench.world.held_voltage(now_s - 0.1, now_s)
    after_v, after_a = bench.world.supply_means()
    assert after_a == pytest.approx(before_a, rel=0.02)
    assert after_v == pytest.approx(19.0, abs=0.05)
    assert int(bench.ask_supply("STATus:QUEStionable?")) & SupplyStatus.VOLTAGE_UNREGULATED


def test_a_stranger_knows_common_commands_only(bench: HandBench) -> None:
    bench.faults.inject("wrong_identity", Role.OSCILLOSCOPE)
    assert "34465A" in bench.ask("*IDN?")
    assert bench.scope.receive(b":OPERegister:CONDition?") is None
    assert bench.errors() == ['-113,"Undefined header"']
    assert bench.ask_supply("OUTPut?") == "1"
    bench.faults.inject("heal")
    assert "MSO-X 2024A" in bench.ask("*IDN?")
    assert bench.ask(":OPERegister:CONDition?") == "+0"
