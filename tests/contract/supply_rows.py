"""Rows of the supply's tables: its envelope (2.1) and its commands (2.2)."""

import re
import time

import pytest

from instruments.errors import SettingRefused
from instruments.serial_line import SerialLine, SerialParity
from instruments.simulated.error_draw import InstrumentErrors
from instruments.supply_envelope import OVP_MAX_V, SupplyRange
from tests.contract.command_table import Lab, row
from tests.contract.test_simulated_fronts import LIMIT_S

# 2.1 Envelope


@row("2.1", "two ranges, and what can be programmed in each; the driver's bounds are the same")
def ranges(lab: Lab) -> None:
    for name, most_v, most_a in (("P60V", 61.8, 1.339), ("P35V", 36.05, 2.266)):
        lab.supply.write("VOLT 1;CURR 1", f"VOLT:RANG {name}")
        assert lab.supply.ask("VOLT? MAX") == f"{most_v:+.8E}"
        assert lab.supply.ask("CURR? MAX") == f"{most_a:+.8E}"
        bounds = SupplyRange(name)
        assert (bounds.max_voltage_v, bounds.max_current_a) == (most_v, most_a)
        lab.supply.refuses(f"VOLT {most_v + 0.01}", f"CURR {most_a + 0.001}", code=-222)
        lab.supply.write(f"VOLT {most_v};CURR {most_a}", "VOLT 1;CURR 1")
        assert lab.supply.errors() == []
    assert lab.supply.number("VOLT:PROT? MAX") == OVP_MAX_V == 66.0


@row("2.1", "what is given and what is read back lie within the accuracy, and the draw is not all alike")
def accuracy(lab: Lab) -> None:
    other = lab.other(errors=InstrumentErrors.DATASHEET)
    errs_v = []
    for volts in (5.0, 19.0, 30.0):
        other.supply.write(f"VOLT {volts}")
        programming, read_back = 0.0005 * volts + 0.010, 0.0005 * volts + 0.005
        regulation = 0.0001 * volts + 0.003
        errs_v.append(other.supply.settled_v(volts, within_v=programming + read_back + regulation))
    assert max(map(abs, errs_v)) > 1e-4, "a real one errs"


@row("2.1", "the current is read back within 0.15 % and 5 mA")
def current_accuracy(lab: Lab) -> None:
    assert lab.supply.number("MEAS:CURR?") == pytest.approx(0.15, abs=0.0015 * 0.15 + 0.005)


@row("2.1", "a current limit holds within 0.2 % and 10 mA, and is read back within 0.15 % and 5 mA")
def limit_accuracy(lab: Lab) -> None:
    other = lab.other(errors=InstrumentErrors.DATASHEET)
    other.supply.write("CURR 0.1")
    assert other.supply.ask("STAT:QUES:COND?") == "+1"
    end = time.monotonic() + LIMIT_S
    while abs(error_a := other.supply.number("MEAS:CURR?") - 0.1) > 0.0035 * 0.1 + 0.015:
        assert time.monotonic() < end, f"{error_a:g} A off, long after the board's capacitors have emptied"
    assert abs(error_a) > 1e-5, "a real one errs"


@row("2.1", "GPIB and RS-232, and no network of its own")
def interfaces(lab: Lab) -> None:
    assert lab.bench.addresses.power_supply.endswith("::5::INSTR")
    assert lab.bench.addresses.power_supply.startswith("GPIB")
    assert lab.bench.addresses.gpib_adapter.startswith("PRLGX-TCPIP")


@row("2.1", "no over-current protection, which constant current stands for")
def no_ocp(lab: Lab) -> None:
    lab.supply.refuses("CURR:PROT 1", "CURR:PROT:STAT 1", "CURR:PROT:TRIP?", code=-113)


@row("2.1", "RS-232: bauds to 9600, eight bits without parity or seven with, two stop bits, DTR/DSR")
def serial(lab: Lab) -> None:
    assert SerialLine() == SerialLine(baud=9600, parity=SerialParity.NONE)
    assert {SerialLine(baud=baud).baud for baud in (300, 600, 1200, 2400, 4800, 9600)}
    with pytest.raises(SettingRefused, match="baud"):
        SerialLine(baud=19200)
    assert {one.value for one in SerialParity} == {"none", "even", "odd"}
    port = Port()
    SerialLine(parity=SerialParity.EVEN).apply(port, role="power_supply")  # type: ignore[arg-type]
    assert (port.data_bits, port.stop_bits.name, port.flow_control.name) == (7, "two", "dtr_dsr")
    SerialLine().apply(port, role="power_supply")  # type: ignore[arg-type]
    assert (port.baud_rate, port.data_bits) == (9600, 8)


class Port:
    """A serial port as a program sees it: attributes that it sets."""

    def set_visa_attribute(self, *_: object) -> None: ...


@row("2.1", "five stored states")
def stored_states(lab: Lab) -> None:
    for place in range(1, 6):
        lab.supply.write(f"VOLT {place}", f"*SAV {place}")
    for place in range(5, 0, -1):
        lab.supply.write(f"*RCL {place}")
        assert lab.supply.number("VOLT?") == place
    lab.supply.refuses("*SAV 0", "*SAV 6", "*RCL 6", code=-222)


@row("2.1", "an error queue of 20")
def error_queue(lab: Lab) -> None:
    lab.supply.write("VOLT 99", *["NOTHing"] * 30)
    found = lab.supply.errors()
    assert (len(found), found[0], found[1]) == (20, -222, -113)


# 2.2 Command table


@row("2.2", "*IDN? in forty characters, the third of four fields 0")
def identity(lab: Lab) -> None:
    answer = lab.supply.ask("*IDN?")
    assert re.fullmatch(r"Agilent Technologies,E3645A,0,\d\.\d-\d\.\d-\d\.\d", answer)
    assert len(answer) <= 43, "forty, and what the revisions may add"


@row("2.2", "*RST: low range, protection on")
def reset(lab: Lab) -> None:
    lab.supply.write("VOLT 1;CURR 1;VOLT:RANG HIGH;PROT:STAT 0", "*RST")
    assert lab.supply.ask("VOLT:RANG?;PROT:STAT?") == "P35V;1"
    assert lab.supply.ask("OUTP?") == "0"


@row("2.2", "APPLy sets both or nothing, and answers quoted")
def apply(lab: Lab) -> None:
    lab.supply.write("APPL 12,1.5")
    assert lab.supply.ask("APPL?") == '"12.00000,1.50000"'
    lab.supply.refuses("APPL 13,9", "APPL 99,1", code=-222)
    assert lab.supply.ask("APPL?") == '"12.00000,1.50000"', "nothing changes"
    lab.supply.write("APPL 10")
    assert lab.supply.ask("APPL?") == '"10.00000,1.50000"'
    lab.supply.write("APPL MIN,MAX")
    assert lab.supply.ask("APPL?") == '"0.00000,2.26600"'


@row("2.2", "VOLTage: a number, MIN, MAX, UP, DOWN; a level that waits for its trigger; limits of the range")
def voltage(lab: Lab) -> None:
    supply = lab.supply
    supply.write("VOLTage:LEVel:IMMediate:AMPLitude 12")
    assert supply.ask("VOLT?") == supply.ask("VOLT:LEV:IMM:AMPL?") == "+1.20000000E+01"
    supply.write("VOLT:STEP 0.5", "VOLT UP", "VOLT UP", "VOLT DOWN")
    assert (supply.number("VOLT?"), supply.number("VOLT:STEP?")) == (12.5, 0.5)
    supply.write("VOLT MAX")
    assert supply.number("VOLT?") == supply.number("VOLT? MAX") == 36.05
    supply.write("VOLT MIN")
    assert supply.number("VOLT?") == supply.number("VOLT? MIN") == 0.0
    supply.write("VOLT:TRIG 7")
    assert (supply.number("VOLT?"), supply.number("VOLT:TRIG?")) == (0.0, 7.0)
    supply.write("*TRG")
    assert supply.number("VOLT?") == 7.0
    supply.refuses("VOLT 36.06", "VOLT 40", "VOLT -1", code=-222)
    assert supply.number("VOLT?") == 7.0


@row("2.2", "CURRent: the same, and UP or DOWN beyond the rating is -222")
def current(lab: Lab) -> None:
    supply = lab.supply
    supply.write("CURR 1", "CURR:STEP 0.8", "CURR UP")
    assert supply.ask("CURR?") == "+1.80000000E+00"
    supply.refuses("CURR UP", code=-222)
    assert supply.number("CURR?") == 1.8
    supply.write("CURR DOWN", "CURR DOWN")
    assert supply.number("CURR?") == pytest.approx(0.2)
    supply.refuses("CURR DOWN", code=-222)
    supply.write("CURR:TRIG 1.1", "*TRG")
    assert (supply.number("CURR?"), supply.number("CURR? MAX"), supply.number("CURR? MIN")) == (1.1, 2.266, 0.0)


@row("2.2", "VOLTage:RANGe by either name; down from the high one it clamps in silence")
def voltage_range(lab: Lab) -> None:
    supply = lab.supply
    supply.write("OUTP 0;:VOLT 1;CURR 1")
    supply.keeps("VOLT:RANG", ("HIGH", "P60V"), ("LOW", "P35V"), ("P60V", "P60V"), ("P35V", "P35V"))
    supply.write("VOLT:RANG P60V", "VOLT 48", "VOLT:RANG LOW")
    assert supply.number("VOLT?") == 36.05
    assert supply.errors() == [], "in silence"
    supply.refuses("VOLT:RANG P20V")


@row("2.2", "VOLTage:PROTection: level, state, trip; clearing restores the output once the cause is gone")
def protection(lab: Lab) -> None:
    supply = lab.supply
    supply.write("VOLT:PROT 30")
    assert supply.ask("VOLT:PROT?;PROT? MAX;PROT:TRIP?") == "+3.00000000E+01;+6.60000000E+01;0"
    supply.refuses("VOLT:PROT 66.1", code=-222)
    supply.keeps("VOLT:PROT:STAT", ("0", "0"), ("1", "1"))
    supply.write("VOLT:PROT 10")
    assert supply.ask("VOLT:PROT:TRIP?") == "1"
    supply.settled_v(0.0)
    assert supply.ask("OUTP?") == "1", "tripped, not switched off"
    supply.write("VOLT:PROT:CLE")
    assert supply.ask("VOLT:PROT:TRIP?") == "1", "the cause is still there"
    supply.write("VOLT 9", "VOLT:PROT:CLE")
    assert supply.ask("VOLT:PROT:TRIP?") == "0"
    supply.settled_v(9.0)
    assert supply.errors() == []


@row("2.2", "MEASure: the voltage at the terminals and the current through the shunt")
def measure(lab: Lab) -> None:
    supply = lab.supply
    for query in ("MEAS?", "MEASure:VOLTage?", "MEASure:SCALar:VOLTage:DC?"):
        assert supply.number(query) == pytest.approx(19.0, abs=0.03), query
    assert supply.number("MEAS:CURR?") == pytest.approx(0.15, abs=0.01)
    supply.write("OUTP 0")
    supply.settled_v(0.0)
    assert supply.number("MEAS:CURR?") == pytest.approx(0.0, abs=0.01)


@row("2.2", "OUTPut, and OUTPut:RELay, which moves two pins and not the output")
def output(lab: Lab) -> None:
    lab.supply.keeps("OUTP", ("0", "0"), ("ON", "1"), ("OFF", "0"), ("1", "1"))
    lab.supply.keeps("OUTPut:RELay", ("1", "1"), ("OFF", "0"))
    assert lab.supply.ask("OUTP:STAT?") == "1"


@row("2.2", "DISPlay, DISPlay:TEXT with its clearing, and the beeper")
def display(lab: Lab) -> None:
    lab.supply.keeps("DISPlay", ("OFF", "0"), ("ON", "1"))
    lab.supply.keeps("DISPlay:TEXT", ('"measuring"', '"measuring"'))
    lab.supply.write("DISPlay:TEXT:CLEar", "SYSTem:BEEPer")
    assert lab.supply.ask("DISP:TEXT?") == '""'
    assert lab.supply.errors() == []


@row("2.2", "SYSTem:ERRor?, SYSTem:VERSion?, and the address of a peripheral, which is not its own")
def system(lab: Lab) -> None:
    assert lab.supply.ask("SYSTem:ERRor?") == '+0,"No error"'
    assert re.fullmatch(r"\d{4}\.\d", lab.supply.ask("SYSTem:VERSion?"))
    lab.supply.keeps("SYSTem:COMMunicate:GPIB:RDEVice:ADDRess", ("7", "+7"), ("30", "+30"))
    lab.supply.refuses("SYSTem:COMMunicate:GPIB:RDEVice:ADDRess 31", code=-222)
    assert lab.supply.ask("*OPC?") == "1", "still at 5"


@row("2.2", "SYSTem:REMote, LOCal and RWLock are for RS-232")
def remote(lab: Lab) -> None:
    lab.supply.refuses("SYSTem:REMote", "SYSTem:LOCal", "SYSTem:RWLock")


@row("2.2", "STATus:QUEStionable:CONDition? is the present mode: 0 off, 1 constant current, 2 constant voltage")
def condition(lab: Lab) -> None:
    supply = lab.supply
    assert supply.ask("STAT:QUES:COND?;COND?") == "+2;+2", "not latched"
    supply.write("CURR 0.05")
    assert supply.ask("STAT:QUES:COND?") == "+1"
    supply.write("CURR 2", "OUTP 0")
    assert supply.ask("STAT:QUES:COND?") == "+0"


@row("2.2", "STATus:QUEStionable? is latched; reading or *CLS clears it")
def questionable(lab: Lab) -> None:
    supply = lab.supply
    supply.ask("STAT:QUES?")
    supply.write("CURR 0.05", "CURR 2")
    assert int(supply.ask("STAT:QUES?")) & 1, "constant current, though it is over"
    assert not int(supply.ask("STAT:QUES?")) & 1
    supply.write("CURR 0.05", "CURR 2", "*CLS")
    assert not int(supply.ask("STAT:QUES:EVEN?")) & 1


@row("2.2", "STATus:QUEStionable:ENABle, and the common commands")
def common(lab: Lab) -> None:
    supply = lab.supply
    supply.keeps("STAT:QUES:ENAB", ("513", "+513"), ("1", "+1"))
    supply.keeps("*ESE", ("32", "+32"))
    supply.keeps("*SRE", ("8", "+8"))
    supply.keeps("*PSC", ("0", "0"), ("1", "1"))
    supply.write("CURR 0.05")
    assert int(supply.ask("*STB?")) & 72 == 72, "the enabled event, and the service that it asks for"
    supply.write("CURR 2", "STAT:QUES:ENAB 0", "*SRE 0", "NOTHing")
    assert supply.ask("*ESR?") == "+32"
    assert int(supply.ask("STAT:QUES?")) & 1, "which *ESR? has not cleared"
    assert int(supply.ask("*TST?")) == 0
    supply.write("*CLS", "*OPC", "*WAI")
    assert supply.ask("*ESR?;*OPC?") == "+1;1"


@row("2.2", "bits: 1 constant current, 2 constant voltage, 512 protection tripped, none above")
def questionable_bits(lab: Lab) -> None:
    supply = lab.supply
    supply.ask("STAT:QUES?")
    supply.write("CURR 0.05", "CURR 2", "VOLT:PROT 10")
    seen = int(supply.ask("STAT:QUES?"))
    assert seen & 512
    assert seen & 3 == 3
    assert seen < 1024
