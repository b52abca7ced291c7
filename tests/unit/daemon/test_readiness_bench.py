"""Examining a bench leaves it alone."""

import pytest

from daemon.readiness import _supply_finding
from instruments.bench_settings import BenchSettings, OutputOnExit
from instruments.errors import BenchNotReady
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading


async def test_looking_at_a_bench_never_switches_its_output_off(monkeypatch) -> None:
    import daemon.readiness as readiness

    opened: list[BenchSettings] = []

    class Unopened:
        def __init__(self, settings: BenchSettings, *, connector: object) -> None:
            assert connector is None
            opened.append(settings)

        async def open(self) -> None:
            raise BenchNotReady([])

        async def close(self) -> None: ...

    configured = BenchSettings(
        oscilloscope_resource="TCPIP0::127.0.0.1::5025::SOCKET",
        power_supply_resource="GPIB0::5::INSTR",
        envelope=SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.0),
        output_on_exit=OutputOnExit.OFF,
    )
    monkeypatch.setattr(readiness, "bench_settings", lambda _: configured)
    monkeypatch.setattr(readiness, "Bench", Unopened)
    await readiness.examine_instruments(None, None)
    assert [settings.output_on_exit for settings in opened] == [OutputOnExit.LEAVE]


@pytest.mark.parametrize(
    ("current_a", "text"), [(-0.00004, "19.0000 V, 0.0000 A, cv"), (-0.0006, "19.0000 V, -0.0006 A, cv")]
)
def test_a_current_of_nothing_has_no_sign(current_a: float, text: str) -> None:
    reading = SupplyReading(
        voltage_v=19.0,
        current_a=current_a,
        mode=SupplyMode.CV,
        output_on=True,
        ovp_tripped=False,
        events=Questionable(0),
    )
    assert _supply_finding(reading).text == text
