"""Energy of a record's whole batches, and of a batch that outlasts the record."""

import pytest

from metrology.electrical import ElectricalRecord
from metrology.energy import cut_batch, whole_batches
from metrology.errors import MetrologyError
from metrology.marker import MarkerReading, read_marker
from tests.unit.metrology.captures import BASE, capture_of

POWER_W = (19.0 - 0.05 * 0.7) * 0.7


def measured(pulses: list[tuple[int, int]]) -> tuple[ElectricalRecord, MarkerReading]:
    capture = capture_of(pulses)
    levels = capture.marker_levels()
    assert levels is not None
    record = ElectricalRecord.of(capture, supply_voltage_v=19.0, lead_resistance_ohm=0.05)
    return record, read_marker(levels, BASE)


def test_gross_holds_the_gaps_and_inside_does_not() -> None:
    found = whole_batches(*measured([(10_000, 20_000), (25_000, 35_000)]))
    idle_w = (19.0 - 0.05 * 0.15) * 0.15
    assert found.batches == 2
    assert found.gross.duration_s == pytest.approx(0.5)
    assert found.inside.duration_s == pytest.approx(0.4)
    assert found.batch_energies_j == pytest.approx((POWER_W * 0.2, POWER_W * 0.2), rel=1e-4)
    gross_j = 19.0 * found.gross.charge_c - 0.05 * found.gross.square_a2s
    assert gross_j == pytest.approx(POWER_W * 0.4 + idle_w * 0.1, rel=1e-4)
    assert found.active_power_w == pytest.approx(POWER_W, rel=1e-4)


def test_a_cut_batch_is_not_whole() -> None:
    found = whole_batches(*measured([(10_000, 20_000), (25_000, 100_000)]))
    assert found.batches == 1


def test_no_whole_batch_is_an_error_that_names_the_way_out() -> None:
    with pytest.raises(MetrologyError, match="cut_batch"):
        whole_batches(*measured([(10_000, 100_000)]))


def test_a_batch_longer_than_the_record_counts_by_its_mean_power() -> None:
    found = cut_batch(*measured([(10_000, 100_000)]), batch_duration_s=3.6)
    assert found.batches == 1
    assert found.gross.duration_s == pytest.approx(3.6)
    assert found.batch_energies_j[0] == pytest.approx(POWER_W * 3.6, rel=1e-4)
    assert found.active_power_w == pytest.approx(POWER_W, rel=1e-4)


def test_a_cut_batch_needs_a_cut_batch_and_a_duration() -> None:
    with pytest.raises(MetrologyError, match="not high at the end"):
        cut_batch(*measured([(10_000, 20_000)]), batch_duration_s=1.0)
    with pytest.raises(MetrologyError, match="batch_duration_s"):
        cut_batch(*measured([(10_000, 100_000)]), batch_duration_s=0.0)
