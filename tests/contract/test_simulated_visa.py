"""The simulated bench through plain PyVISA: the client that the drivers use, without the drivers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import pyvisa

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.error_draw import InstrumentErrors
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from tests.contract.test_simulated_fronts import Line, connected, until

SCALE = 50.0


@pytest.fixture
def manager() -> Iterator[pyvisa.ResourceManager]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


def opened(manager: pyvisa.ResourceManager, bench: SimulatedBenchThread) -> Any:
    return manager.open_resource(
        bench.addresses.oscilloscope, read_termination="\n", write_termination="\n", timeout=5000
    )


def read_block(scope: Any, query: str) -> bytes:
    scope.write(query)
    scope.read_termination = None
    header = scope.read_bytes(10)
    payload: bytes = scope.read_bytes(int(header[2:]), chunk_size=1 << 16)
    assert scope.read_bytes(1) == b"\n"
    scope.read_termination = "\n"
    return payload


def measured_energy_j(scope: Any, marker: Line) -> float:
    """Take a capture and integrate it the plain way: sum of v i dt from the first marker edge to the last."""
    for message in (
        "*RST;:STOP",
        ":CHANnel1:PROBe 10;UNITs AMPere;SCALe 0.2;OFFSet 0.6",
        ":TIMebase:RANGe 2;REFerence LEFT;:POD1:DISPlay 1",
        ":TRIGger:EDGE:SOURce DIGital0",
        ":WAVeform:FORMat WORD;BYTeorder LSBFirst;POINts:MODE RAW",
        "*CLS",
        ":SINGle",
    ):
        scope.write(message)
    wait_for(scope, ":AER?", 1)
    assert marker.ask(b"play" + b" 0.15 0.05" * 8) == b"ok"
    wait_for(scope, ":OPERegister:CONDition?", 0)
    preamble = [float(field) for field in scope.query(":WAVeform:SOURce CHANnel1;PREamble?").split(",")]
    codes = np.frombuffer(read_block(scope, ":WAVeform:DATA?"), "<u2")
    pod = np.frombuffer(read_block(scope, ":WAVeform:SOURce POD1;DATA?"), "<u2")
    current_a = (codes.astype(float) - preamble[9]) * preamble[7] + preamble[8]
    edges = np.flatnonzero(np.diff(pod.astype(int)))
    inside = slice(edges[0] + 1, edges[-1] + 1)
    return float(np.sum((19.0 - 0.05 * current_a[inside]) * current_a[inside]) * preamble[4])


def wait_for(scope: Any, query: str, answer: int) -> None:
    for _ in range(20_000):
        if int(scope.query(query)) == answer:
            return
    raise AssertionError(f"{query} never answered {answer}")


def test_exact_instruments_measure_the_true_energy_within_a_thousandth(manager: pyvisa.ResourceManager) -> None:
    with SimulatedBenchThread(WorldSettings(time_scale=SCALE)) as bench, TruthClient(bench.addresses.truth) as truth:
        scope = opened(manager, bench)
        for marker in connected(bench.addresses.marker):
            measured_j = measured_energy_j(scope, marker)
        scope.close()
        true_j = truth.acquisitions()[0]["gross_energy_j"]
    # 30 mA rms over some 80 000 samples of 0.55 A: 2e-4; two edges of 20 us in 1.55 s: 1e-5.
    assert measured_j == pytest.approx(true_j, rel=1e-3)


def test_erring_instruments_do_not(manager: pyvisa.ResourceManager) -> None:
    settings = WorldSettings(time_scale=SCALE, seed=3, errors=InstrumentErrors.DATASHEET)
    with SimulatedBenchThread(settings) as bench, TruthClient(bench.addresses.truth) as truth:
        scope = opened(manager, bench)
        for marker in connected(bench.addresses.marker):
            measured_j = measured_energy_j(scope, marker)
        scope.close()
        true_j = truth.acquisitions()[0]["gross_energy_j"]
    assert measured_j != pytest.approx(true_j, rel=2e-3)
    # Gains of probe and scope 3 % each, zeros of 50 mA + 20 mA + 20 mA + 6 mA in 0.56 A: no more than some 24 %.
    assert measured_j == pytest.approx(true_j, rel=0.24)


def test_the_supply_behind_the_adapter(manager: pyvisa.ResourceManager) -> None:
    with SimulatedBenchThread(board_number=3) as bench:
        adapter: Any = manager.open_resource(bench.addresses.gpib_adapter, timeout=2000)
        assert bench.addresses.power_supply == "GPIB3::5::INSTR"
        supply: Any = manager.open_resource(bench.addresses.power_supply)
        assert supply.query("*IDN?").strip() == "Agilent Technologies,E3645A,0,2.6-6.1-2.1"
        supply.write('DISP:TEXT "1+1"')
        assert supply.query("DISP:TEXT?").strip() == '"1+1"'
        supply.write("FOO")
        assert supply.query("SYST:ERR?").strip() == '-113,"Undefined header"'
        supply.clear()
        supply.write("VOLT:TRIG 12")
        supply.assert_trigger()
        assert float(supply.query("VOLT?")) == 12.0
        supply.close()
        adapter.close()


def test_many_acquisitions_leave_no_more_than_the_latest_behind(manager: pyvisa.ResourceManager) -> None:
    with SimulatedBenchThread(WorldSettings(time_scale=2000.0)) as bench:
        scope = opened(manager, bench)
        for marker in connected(bench.addresses.marker):
            for message in ("*RST;:STOP", ":TIMebase:RANGe 2;REFerence LEFT", ":TRIGger:EDGE:SOURce DIGital0", "*CLS"):
                scope.write(message)
            for _ in range(80):
                scope.write(":SINGle")
                wait_for(scope, ":AER?", 1)
                assert marker.ask(b"play 0.5 0.1") == b"ok"
                wait_for(scope, ":OPERegister:CONDition?", 0)
                assert marker.file.readline() == b"done 1\n"
        scope.close()
        assert bench.bench.truth.count == 80
        assert [one.index for one in bench.bench.truth.since(0)] == list(range(16, 80))


def test_several_benches_live_side_by_side() -> None:
    with SimulatedBenchThread() as first, SimulatedBenchThread() as second:
        for one in connected(first.addresses.oscilloscope):
            one.send(b":CHANnel1:SCALe 0.5\n")
            until(one, b":CHANnel1:SCALe?", b"+5.00000000E-001")
        for other in connected(second.addresses.oscilloscope):
            assert float(other.ask(b":CHANnel1:SCALe?")) == 5.0
