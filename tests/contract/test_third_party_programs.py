"""Published programs that know nothing of this project, as they come, against the simulated bench.

Each one sets the instruments up by its own means and reads a physical quantity that the world is known to have: 0.15 A
and 19 V while the board idles. Then the error queue holds nothing, or exactly what the real instrument refuses too.
"""

import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvisa
from matplotlib.image import imread

from instruments.simulated.bench import SimulatedBenchThread
from tests.contract.test_simulated_fronts import connected

IDLE_A, SUPPLY_V = 0.15, 19.0
CURRENT = "CHANnel1:PROBe 10;UNITs AMPere;SCALe 0.2;OFFSet 0.6"
VOLTAGE = "CHANnel2:DISPlay 1;PROBe 10;SCALe 5;OFFSet 15"
FRONTS = ("oscilloscope", "oscilloscope_vxi11")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedBenchThread]:
    monkeypatch.setenv("PYVISA_LIBRARY", "@py")  # programs that name no back end take whatever VISA the computer has
    with SimulatedBenchThread() as bench:
        yield bench


def scope_errors(bench: SimulatedBenchThread) -> list[str]:
    entries: list[str] = []
    for line in connected(bench.addresses.oscilloscope):
        while (entry := line.ask(b":SYSTem:ERRor?").decode()) != '+0,"No error"':
            entries.append(entry)
    return entries


def settled(ask: Callable[[], float], wanted: float) -> float:
    """Read until a value has come near; the output and its read-back take a while. Return the last one."""
    for _ in range(2000):
        if (value := float(ask())) == pytest.approx(wanted, abs=0.02):
            break
    return value


def tcp(resource: str) -> tuple[str, int]:
    _, host, port, _ = resource.split("::")
    return host, int(port)


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("form", ["WORD", "BYTE", "ASCii"])
def test_keyoscacquire_takes_a_trace(bench: SimulatedBenchThread, front: str, form: str) -> None:
    from keyoscacquire.oscilloscope import Oscilloscope

    scope = Oscilloscope(address=getattr(bench.addresses, front), verbose=False)
    for command in (f":{CURRENT}", ":TIMebase:RANGe 0.02"):
        scope.write(command)
    scope.set_acquiring_options(wav_format=form, acq_type="NORM", p_mode="RAW", num_points=0)
    times_s, current_a, channels = scope.get_trace(channels=[1])
    scope.close()
    assert channels == [1]
    assert np.ptp(times_s) == pytest.approx(0.02, rel=0.01)
    assert current_a.mean() == pytest.approx(IDLE_A, abs=0.004)
    assert scope_errors(bench) == []


@pytest.mark.filterwarnings("ignore:It is not known whether this device:FutureWarning")
@pytest.mark.parametrize("front", FRONTS)
def test_pymeasure_reads_the_whole_panel(bench: SimulatedBenchThread, front: str) -> None:
    from pymeasure.instruments.keysight import KeysightDSOX1102G

    ends = {"read_termination": "\n", "write_termination": "\n"} if front == "oscilloscope" else {}
    scope = KeysightDSOX1102G(getattr(bench.addresses, front), visa_library="@py", **ends)
    scope.adapter.connection.timeout = 1000
    scope.ch(1).setup(probe_attenuation=10, scale=0.2, offset=0.6, coupling="dc", display=True, label="probe")
    scope.timebase_setup(mode="main", offset=0, scale=0.002)
    shown = scope.ch(1).current_configuration
    assert (shown["RANG"], shown["OFFS"], shown["PROB"], shown["DISP"], shown["LAB"]) == (1.6, 0.6, 10, True, '"probe"')
    assert scope.timebase == {"MODE": "MAIN", "REF": "CENT", "MAIN:RANG": 0.02, "POS": 0.0}
    scope.digitize("channel1")
    scope.waveform_format = "ascii"
    current_a, preamble = scope.download_data("channel1", points=1000)
    assert (current_a.size, preamble["points"]) == (1000, 1000)
    assert current_a.mean() == pytest.approx(IDLE_A, abs=0.006)  # 30 mA rms over 1000 points: 1 mA, and the ripple
    kept = scope.system_setup
    scope.factory_reset()
    scope.system_setup = kept
    assert scope.ch(1).current_configuration == shown
    scope.autoscale()
    assert scope.check_errors() == []
    if front == "oscilloscope":  # byte by byte, until a time-out: over VXI-11 each costs a call
        assert imread(io.BytesIO(bytes(scope.download_image()))).shape[:2] == (240, 400)
        assert scope.check_errors() == []
    scope.adapter.close()


def test_msox3000_measures_and_saves(
    bench: SimulatedBenchThread, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from msox3000 import MSOX3000

    scope = MSOX3000(bench.addresses.oscilloscope_vxi11)
    scope.open()
    for command in (CURRENT, VOLTAGE, "TIMebase:RANGe 0.02"):
        scope._instWrite(command)
    assert scope.isOutputOn("1")
    assert scope.measureVoltAverage(channel="1", wait=0, install=True) == pytest.approx(IDLE_A, abs=0.004)
    assert scope.measureVoltAverage(channel="2", wait=0, install=True) == pytest.approx(SUPPLY_V, abs=0.1)
    assert scope.measureDVMdc(channel="2", wait=0) == pytest.approx(SUPPLY_V, abs=0.1)
    assert [one["MEAN"] for one in scope.measureStatistics()] == pytest.approx([IDLE_A, SUPPLY_V], abs=0.1)
    scope.annotate("idle", color="CH1")
    scope.hardcopy(str(tmp_path / "screen.png"))
    assert imread(tmp_path / "screen.png").shape[:2] == (240, 400)
    scope.waveform(str(tmp_path / "trace.csv"), channel="1")
    trace = np.genfromtxt(tmp_path / "trace.csv", delimiter=",", skip_header=1)
    assert np.ptp(trace[:, 0]) == pytest.approx(0.02, rel=0.01)
    assert trace[:, 1].mean() == pytest.approx(IDLE_A, abs=0.004)
    scope.setupSave(str(tmp_path / "panel.stp"))
    scope.outputOff("1")
    assert not scope.isOutputOn("1")
    scope.setupLoad(str(tmp_path / "panel.stp"))
    assert scope.isOutputOn("1")
    scope.setupAutoscale(channel="2")
    assert not scope.isOutputOn("1")
    scope.close()
    # It drains the queue after each command, and prints what it finds.
    assert "ERROR" not in capsys.readouterr().out


def test_pyscpi_speaks_to_a_plain_socket(bench: SimulatedBenchThread) -> None:
    from pyscpi.keysight import osc
    from pyscpi.scpi import Instrument

    scope = Instrument(*tcp(bench.addresses.oscilloscope))
    assert scope.query("*IDN?").startswith("AGILENT TECHNOLOGIES,MSO-X 2024A")
    for command in (f":{CURRENT}", f":{VOLTAGE}", ":TIMebase:RANGe 0.02"):
        scope.write(command)
    for channel, mean in ((1, IDLE_A), (2, SUPPLY_V)):
        times_s, values = osc.readSingleChannel(scope, channel)
        assert np.ptp(times_s) == pytest.approx(0.02, rel=0.01)
        assert np.mean(values) == pytest.approx(mean, rel=0.02)
    osc.autoScale(scope)
    osc.setWGenOutput(scope, "ON")
    scope.close()
    assert scope_errors(bench) == ['-241,"Hardware missing"'], "this scope has no waveform generator"


class VisaInterface:
    """The interface that python-ivi asks for, on a resource of PyVISA: its own wrapper is for PyVISA before 1.6."""

    def __init__(self, resource: Any) -> None:
        self._resource = resource
        self._unread = b""

    def write_raw(self, data: bytes) -> None:
        self._resource.write_raw(data + b"\n")

    def read_raw(self, count: int = -1) -> bytes:
        data = self._unread or self._resource.read_raw()
        count = len(data) if count < 0 else count
        self._unread = data[count:]
        return bytes(data[:count])

    def write(self, message: str, encoding: str = "utf-8") -> None:
        self.write_raw(message.encode(encoding))

    def read(self, count: int = -1, encoding: str = "utf-8") -> str:
        return self.read_raw(count).decode(encoding).rstrip()

    def ask(self, message: str, count: int = -1, encoding: str = "utf-8") -> str:
        self.write(message, encoding)
        return self.read(count, encoding)

    def close(self) -> None:
        self._resource.close()


@pytest.fixture
def manager() -> Iterator[pyvisa.ResourceManager]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


def ivi_driver(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes in its strings, found where it is compiled
        from ivi import agilent
    return getattr(agilent, name)


def test_python_ivi_drives_the_supply_behind_the_adapter(
    bench: SimulatedBenchThread, manager: pyvisa.ResourceManager
) -> None:
    adapter: Any = manager.open_resource(bench.addresses.gpib_adapter, timeout=2000)
    resource = manager.open_resource(bench.addresses.power_supply)
    supply = ivi_driver("agilentE3645A")(VisaInterface(resource))
    output = supply.outputs[0]
    assert supply.identity.instrument_model == "E3645A"
    assert (output.voltage_level, output.current_limit, output.enabled) == (SUPPLY_V, 2.2, True)
    assert output.measure("current") == pytest.approx(IDLE_A, abs=0.005)
    output.voltage_level = 12.0
    assert settled(lambda: output.measure("voltage"), 12.0) == pytest.approx(12.0, abs=0.02)
    for line in connected(bench.addresses.oscilloscope):
        assert line.ask(b":CHANnel2:DISPlay 1;PROBe 10;SCALe 5;OFFSet 15;*OPC?") == b"1"
        assert float(line.ask(b":MEASure:VAVerage? DISPlay,CHANnel2")) == pytest.approx(12.0, abs=0.1)
    output.enabled = False
    assert settled(lambda: output.measure("current"), 0.0) == pytest.approx(0.0, abs=0.02)
    output.configure_range("voltage", 50)
    output.current_limit = 1.0
    assert (output.current_limit, output.ovp_limit) == (1.0, 66.0)
    assert supply.utility.error_query() == (0, "No error")
    resource.close()
    adapter.close()


def test_python_ivi_drives_the_scope(bench: SimulatedBenchThread, manager: pyvisa.ResourceManager) -> None:
    resource = manager.open_resource(bench.addresses.oscilloscope_vxi11)
    scope = ivi_driver("agilentMSOX2024A")(VisaInterface(resource))
    channel = scope.channels[0]
    channel.configure(0.16, 0.06, "dc", 1.0, True)
    scope.timebase.range = 0.02
    assert (channel.range, channel.offset, channel.input_impedance) == (0.16, 0.06, 1_000_000)
    assert (scope.trigger.type, scope.trigger.source, scope.acquisition.type) == ("edge", "chan1", "normal")
    scope.measurement.initiate()
    trace = np.array(channel.measurement.fetch_waveform())
    # It knows no current probe: 100 mV to the ampere.
    assert trace[:, 1].mean() == pytest.approx(IDLE_A / 10, abs=0.0004)
    assert channel.measurement.fetch_waveform_measurement("voltage_average") == pytest.approx(IDLE_A / 10, abs=0.0004)
    assert imread(io.BytesIO(scope.display.fetch_screenshot())).shape[:2] == (240, 400)
    scope.system.load_setup(scope.system.fetch_setup())
    scope.measurement.auto_setup()
    assert scope.utility.error_query() == (0, "No error")
    resource.close()


def test_the_adapter_of_pymeasure_talks_to_the_supply(bench: SimulatedBenchThread) -> None:
    from pymeasure.adapters import PrologixAdapter
    from pymeasure.instruments import Instrument
    from pymeasure.instruments.generic_types import SCPIMixin

    class Supply(SCPIMixin, Instrument):
        pass

    host, port = tcp(bench.addresses.gpib_adapter)
    ends = {"read_termination": "\n", "write_termination": "\n"}
    adapter = PrologixAdapter(f"TCPIP0::{host}::{port}::SOCKET", 5, gpib_read_timeout=1000, visa_library="@py", **ends)
    assert adapter.version.startswith("Prologix GPIB-ETHERNET")
    assert (adapter.auto, adapter.eoi, adapter.eos, adapter.gpib_read_timeout) == (False, True, "\n", 1000)
    supply = Supply(adapter, "supply")
    assert supply.id.startswith("Agilent Technologies,E3645A")
    supply.write("APPLy 12,1")
    assert supply.ask("APPLy?").strip() == '"12.00000,1.00000"'
    assert settled(lambda: supply.ask("MEASure:VOLTage?"), 12.0) == pytest.approx(12.0, abs=0.02)
    supply.write("APPLy 100,1")
    ((code, _),) = supply.check_errors()
    assert code == -222
    adapter.close()
