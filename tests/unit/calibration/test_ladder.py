"""Which currents a gain calibration climbs."""

from typing import Any

import numpy as np
import pytest

from calibration.errors import ProcedureFailed
from calibration.ladder import current_ladder
from instruments.bench_settings import BenchSettings
from instruments.current_probe import CurrentProbe
from instruments.supply_envelope import SupplyEnvelope


def settings(*, max_current_a: float = 2.2, **changes: Any) -> BenchSettings:
    return BenchSettings(
        oscilloscope_resource="TCPIP0::127.0.0.1::5025::SOCKET",
        power_supply_resource="GPIB0::5::INSTR",
        envelope=SupplyEnvelope(max_voltage_v=20.0, max_current_a=max_current_a),
        **changes,
    )


def test_up_and_down_so_that_time_and_current_are_not_correlated() -> None:
    ladder = current_ladder(settings(current_offset_a=0.6), levels=6)
    assert ladder == ladder[::-1]
    assert np.corrcoef(np.arange(12), ladder)[0, 1] == pytest.approx(0.0, abs=1e-12)
    assert (min(ladder), max(ladder)) == (0.2, 1.28)


@pytest.mark.parametrize(
    ("changes", "highest_a"),
    [
        ({"current_scale_a_per_div": 0.5, "current_offset_a": 1.0}, 2.0),
        ({"current_scale_a_per_div": 0.5, "current_offset_a": 1.0, "max_current_a": 1.5}, 1.5),
        ({"current_scale_a_per_div": 0.5, "current_offset_a": 1.0, "probe": CurrentProbe(turns=10)}, 1.0),
        ({"current_offset_a": 0.5}, 1.18),
    ],
)
def test_the_tightest_bound_ends_it(changes: dict[str, Any], highest_a: float) -> None:
    assert max(current_ladder(settings(**changes), levels=4)) == pytest.approx(highest_a)


@pytest.mark.parametrize("changes", [{"max_current_a": 0.3}, {"current_offset_a": -0.4}, {"current_offset_a": 3.0}])
def test_too_short_a_ladder_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProcedureFailed, match="so that the screen shows more"):
        current_ladder(settings(**changes), levels=6)
