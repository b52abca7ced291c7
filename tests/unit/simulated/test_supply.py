"""The supply as its commands show it."""

import pytest

from tests.unit.simulated.hand_clock import HandBench


@pytest.fixture
def bench() -> HandBench:
    bench = HandBench()
    bench.wait(1.0)
    return bench


def test_it_is_found_as_a_lab_left_it(bench: HandBench) -> None:
    assert bench.ask_supply("*IDN?") == "Agilent Technologies,E3645A,0,2.6-6.1-2.1"
    assert bench.ask_supply("OUTPut?;VOLTage?;CURRent?") == "1;+1.90000000E+01;+2.20000000E+00"
    assert bench.ask_supply("VOLT:RANG?;PROT?;PROT:STAT?") == "P35V;+6.60000000E+01;1"
    assert bench.ask_supply("STAT:QUES:COND?") == "+2"
    assert float(bench.ask_supply("MEAS:CURR?")) == pytest.approx(0.15, abs=0.004)


@pytest.mark.parametrize("header", ["VOLT", "VOLTage:LEVel", "volt:lev:imm:ampl", "VOLT:IMMediate"])
def test_levels_by_any_of_their_names(bench: HandBench, header: str) -> None:
    bench.set_supply(f"{header} 12.5")
    assert bench.ask_supply(f"{header}?") == "+1.25000000E+01"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("VOLT 36.1", -222),
        ("VOLT -1", -222),
        ("CURR 2.3", -222),
        ("APPL 12,5", -222),
        ("APPL 12,1,1", -108),
        ("VOLT:PROT 70", -222),
        ("VOLT:RANG P20V", -224),
        ("OUTP 2", -224),
        ("CURR:PROT 1", -113),
        ("SYST:REM", 514),
        ("*RCL 9", -222),
        ("VOLT", -109),
    ],
)
def test_what_it_refuses_changes_nothing(bench: HandBench, message: str, code: int) -> None:
    before = bench.world.supply.settings
    assert bench.supply.receive(message.encode()) is None
    assert [int(entry.split(",")[0]) for entry in bench.supply_errors()] == [code]
    assert bench.world.supply.settings == before


def test_limits_follow_the_range_and_a_lower_one_clamps_in_silence(bench: HandBench) -> None:
    bench.set_supply("OUTP OFF", "VOLT:RANG HIGH")
    assert bench.ask_supply("VOLT? MAX;:CURR? MAX") == "+6.18000000E+01;+1.33900000E+00"
    assert bench.ask_supply("CURR?") == "+1.33900000E+00"
    bench.set_supply("VOLT 48", "VOLT:RANG LOW")
    assert bench.ask_supply("VOLT?;VOLT:RANG?") == "+3.60500000E+01;P35V"
    assert bench.supply_errors() == []


def test_apply_sets_both_and_answers_quoted(bench: HandBench) -> None:
    bench.set_supply("APPL 12,1.5")
    assert bench.ask_supply("APPL?") == '"12.00000,1.50000"'
    bench.set_supply("APPL DEF,MAX")
    assert bench.ask_supply("APPL?") == '"0.00000,2.26600"'


def test_steps_up_and_down(bench: HandBench) -> None:
    bench.set_supply("VOLT:STEP 0.5", "VOLT UP", "VOLT UP", "VOLT DOWN")
    assert bench.ask_supply("VOLT?;VOLT:STEP?") == "+1.95000000E+01;+5.00000000E-01"


def test_triggered_levels_wait_for_their_trigger(bench: HandBench) -> None:
    bench.set_supply("VOLT:TRIG 10")
    assert bench.ask_supply("VOLT?;VOLT:TRIG?") == "+1.90000000E+01;+1.00000000E+01"
    bench.set_supply("*TRG")
    assert bench.ask_supply("VOLT?") == "+1.00000000E+01"


def test_states_are_stored_and_recalled(bench: HandBench) -> None:
    bench.set_supply("*SAV 2", "VOLT 5;:OUTP OFF", "*RCL 2")
    assert bench.ask_supply("VOLT?;:OUTP?") == "+1.90000000E+01;1"


def test_reset_switches_off(bench: HandBench) -> None:
    bench.set_supply("*RST")
    assert bench.ask_supply("OUTP?;VOLT?;CURR?") == "0;+0.00000000E+00;+2.20000000E+00"
    assert bench.ask_supply("STAT:QUES:COND?") == "+0"


def test_status_events_are_latched_when_they_come_and_cleared_by_reading(bench: HandBench) -> None:
    assert bench.ask_supply("STAT:QUES?") == "+2"
    assert bench.ask_supply("STAT:QUES?") == "+0"
    bench.set_supply("CURR 0.3", "STAT:QUES:ENAB 1")
    bench.world.play([(0.01, 0.01)])
    bench.wait(1.0)
    assert bench.ask_supply("STAT:QUES:COND?") == "+2"
    assert bench.supply.status_byte() & 8
    assert bench.ask_supply("STAT:QUES?") == "+3"
    bench.set_supply("*CLS")
    assert bench.ask_supply("STAT:QUES?") == "+0"


def test_display_is_taken_and_twelve_characters_are_shown(bench: HandBench) -> None:
    bench.set_supply("DISP ON", 'DISP:TEXT "joulebench runs"')
    assert bench.ask_supply("DISP:TEXT?") == '"joulebench r"'
    bench.set_supply("DISP:TEXT:CLE", "SYST:BEEP")
    assert bench.ask_supply("DISP:TEXT?") == '""'


def test_its_queue_holds_twenty(bench: HandBench) -> None:
    for _ in range(25):
        bench.supply.receive(b"FOO")
    errors = bench.supply_errors()
    assert len(errors) == 20
    assert errors[-1] == '-350,"Queue overflow"'


def test_what_changes_nothing_is_kept(bench: HandBench) -> None:
    bench.set_supply("SOURce:VOLTage:LEVel 4", 'MEMory:STATe:NAME 2,"night"', "DISPlay OFF", "*PSC 0")
    assert bench.ask_supply("VOLT?;:SOUR:VOLT:RANG?") == "+4.00000000E+00;P35V"
    assert bench.ask_supply("MEM:STAT:NAME? 2;:DISP?;*PSC?") == '"night";0;0'
    bench.set_supply("*RST")
    assert bench.ask_supply("DISP?") == "1"
    assert bench.supply_errors() == []


def test_an_immediate_trigger_takes_the_levels_when_initiated(bench: HandBench) -> None:
    bench.set_supply("TRIGger:DELay 2", "VOLT:TRIG 7", "INITiate")
    assert bench.ask_supply("TRIG:SOUR?;DEL?;:VOLT?") == "BUS;+2.00000000E+00;+1.90000000E+01"
    bench.set_supply("TRIGger:SOURce IMMediate", "INITiate")
    assert bench.ask_supply("VOLT?") == "+7.00000000E+00"
    bench.set_supply("TRIG:DEL 4000")
    assert bench.supply_errors() == ['-222,"Data out of range"']
