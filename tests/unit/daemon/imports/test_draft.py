"""Draft: captures whose energy is the file's, within the doubt that they state."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from daemon.errors import ImportRefused
from daemon.imports.draft import ImportDraft, draft_of, images_of
from daemon.imports.import_analysis import analyse_import, reasons_of
from daemon.imports.source_file import SourceFile
from daemon.imports.stated_accuracy import StatedAccuracy
from instruments.recordings.choice import Choice
from instruments.recordings.gather import Gather
from instruments.recordings.recording import Recording
from instruments.recordings.series import Series
from metrology.electrical import ElectricalRecord
from metrology.power import energy_j
from metrology.quality import ReasonCode, Verdict
from metrology.window import Window
from tests.unit.daemon.imports.example_series import RATE_HZ, recording, signals

SOURCE = SourceFile(name="example.jls", sha256="ab" * 32, size_bytes=1000)
EXACT = StatedAccuracy(gain=0.0, offset_a=0.0, voltage_gain=0.0, voltage_offset_v=0.0, clock=0.0)


def draft(found: Recording, accuracy: StatedAccuracy = EXACT, images: int = 10) -> ImportDraft:
    return draft_of(found, SOURCE, images_per_window=images, accuracy=accuracy)


def linear_energy_j(power_w: np.ndarray, start_s: float, end_s: float) -> float:
    """Return the integral of samples at the middle of their intervals, straight lines between."""
    times_s = (np.arange(power_w.size) + 0.5) / RATE_HZ
    inside = times_s[(times_s > start_s) & (times_s < end_s)]
    grid_s = np.concatenate([[start_s], inside, [end_s]])
    return float(np.trapezoid(np.interp(grid_s, times_s, power_w), grid_s))


@pytest.mark.parametrize("sag_v", [0.0, 0.2, 3.0])
def test_gross_energy_is_the_files_within_the_stated_rounding(sag_v: float) -> None:
    current_a, voltage_v, _ = signals(sag_v=sag_v)
    made = draft(recording(sag_v=sag_v, means=False))
    (one,) = made.captures
    record = ElectricalRecord.of(one.capture, supply_voltage_v=one.supply.loaded_voltage_v, lead_resistance_ohm=0.0)
    for start_s, end_s in ((0.6, 1.6), (0.6, 1.0), (0.05, 0.55)):
        exact_j = linear_energy_j(current_a * voltage_v, start_s, end_s)
        found_j = energy_j(record, Window(start_s=start_s, end_s=end_s))
        duration_s = end_s - start_s
        doubt_j = made.facts.rounding_a * 5.0 * duration_s + made.facts.rounding_v * abs(exact_j) / 3
        assert abs(found_j - exact_j) <= doubt_j + 1e-12
        assert doubt_j < 1e-4 * exact_j  # and the doubt is small


def test_the_result_holds_the_files_energy_and_its_budget_the_rounding() -> None:
    current_a, voltage_v, _ = signals()
    made = draft(recording())
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.verdict is Verdict.VALID
    assert analysis.energy is not None
    gross = analysis.energy.gross_energy_per_image_j
    exact_j = float((current_a * voltage_v)[6000:16000].sum()) / RATE_HZ / 20
    assert gross.value == pytest.approx(exact_j, rel=2e-6)
    assert "16-bit rounding" in {term.term for term in analysis.energy.budget}
    net = analysis.energy.net_energy_per_image_j
    idle_w = float(np.mean((current_a * voltage_v)[:5900]))
    assert net is not None
    assert net.value == pytest.approx(gross.value - idle_w * 1.0 / 20, rel=1e-3)


def test_a_thinned_file_keeps_its_energy() -> None:
    current_a, voltage_v, _ = signals(sag_v=3.0)
    made = draft(recording(sag_v=3.0, bin_limit=2048))
    assert made.facts.samples_per_point == 16
    assert made.facts.sample_rate_hz == pytest.approx(RATE_HZ)
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.energy is not None
    gross = analysis.energy.gross_energy_per_image_j
    exact_j = float((current_a * voltage_v)[6000:16000].sum()) / RATE_HZ / 20
    assert abs(gross.value - exact_j) <= gross.expanded_uncertainty_95
    assert gross.value == pytest.approx(exact_j, rel=2e-3)


def short_batches(*, phases: bool, apart: bool, seed: int = 11) -> tuple[Recording, float]:
    """Return 200 batches of 10 ms at 1 W, the rest at 0.2 W, by a meter of 1 kHz, and the mean energy of a batch."""
    rng = np.random.default_rng(seed)
    starts = 600 + 25 * np.arange(200) + (rng.random(200) if phases else 0)
    ends = starts + 10 + (rng.random(200) - 0.5 if phases else 0)
    bins = np.arange(600 + 25 * 200 + 50)
    inside = sum(
        np.clip(np.minimum(bins + 1, e) - np.maximum(bins, s), 0, 1) for s, e in zip(starts, ends, strict=True)
    )
    energies_j = 1e-3 * (0.2 + 0.8 * inside + rng.normal(0, 1e-4, bins.size))
    series = Series(
        energies_j=energies_j,
        charges_c=None if apart else energies_j / 5,
        levels=None if apart else inside >= 0.5,
        lowest_voltage_v=5.0,
        highest_voltage_v=5.0,
        interval_s=1e-3,
    )
    windows = tuple(Window(start_s=s * 1e-3, end_s=e * 1e-3) for s, e in zip(starts, ends, strict=True))
    found = Recording(
        record=series.bins,
        windows=windows,
        images=(1,) * 200,
        series=series,
        identity="meter",
        instrument="energyrunner" if apart else "jls",
    )
    return found, float(np.mean(ends - starts)) * 1e-3


@pytest.mark.parametrize("apart", [False, True])
def test_short_batches_of_a_slow_meter_keep_their_energy(apart: bool) -> None:
    found, _ = short_batches(phases=False, apart=apart)
    table_j = float(np.mean([energy_j(found.record, one) for one in found.windows]))
    made = draft(found, images=1)
    energy = analyse_import(made.captures, made.facts).energy
    assert energy is not None
    assert energy.batch_energy_per_image_j.value == pytest.approx(table_j, rel=1e-6)
    if apart:
        assert energy.gross_energy_per_image_j.value == pytest.approx(table_j, rel=1e-6)


@pytest.mark.parametrize("apart", [False, True])
def test_edges_within_an_interval_are_in_the_doubt(apart: bool) -> None:
    found, true_j = short_batches(phases=True, apart=apart)
    made = draft(found, images=1)
    energy = analyse_import(made.captures, made.facts).energy
    assert energy is not None
    batch = energy.batch_energy_per_image_j
    # one phase after another loses energy at load and takes energy at idle in: in the mean the window loses
    assert 0.005 * true_j < true_j - batch.value < batch.expanded_uncertainty_95 < 0.06 * true_j
    table_j = float(np.mean([energy_j(found.record, one) for one in found.windows]))
    assert abs(batch.value - table_j) < batch.expanded_uncertainty_95
    if apart:
        assert "cut means" in {term.term for term in energy.budget}
        assert energy.gross_energy_per_image_j.expanded_uncertainty_95 > true_j - batch.value


def drifting(course: str, count: int, seed: int) -> Recording:
    """Return 20 windows at 2.5 W after an idle stretch that ends at 0.5 W, by a meter of 1 kHz and 5 V."""
    part = np.linspace(0, 1, count)
    drift_a = {
        "line": 0.033 * (1 - part),
        "settles": 0.033 * (np.exp(-4 * part) - np.exp(-4)),
        "rises": -0.033 * (1 - part),
    }[course]
    levels = np.tile(np.repeat([True, False], [800, 100]), 20)
    current_a = np.concatenate([0.1 + drift_a, np.where(levels, 0.5, 0.1)])
    current_a += np.random.default_rng(seed).normal(0, 1e-3, current_a.size)
    gather = Gather(path=Path("x"), instrument="t", interval_s=1e-3)
    gather.add(current_a, 5.0, np.concatenate([np.zeros(count, bool), levels]))
    series = gather.series()
    windows = gather.windows(series.bins.span.end_s)
    return Recording(
        record=series.bins, windows=windows, images=(1,) * 20, series=series, identity="m", instrument="jls"
    )


@pytest.mark.parametrize("course", ["line", "settles", "rises"])
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("count", [45, 300, 3000, 40_000])
def test_what_idle_power_drifted_is_in_the_doubt_of_net_energy(course: str, count: int, seed: int) -> None:
    found = drifting(course, count, seed)
    made = draft(found, images=1)
    energy = analyse_import(made.captures, made.facts).energy
    assert energy is not None
    assert energy.idle_power_w is not None
    assert energy.net_energy_per_image_j is not None
    assert abs(energy.idle_power_w.value - 0.5) <= energy.idle_power_w.expanded_uncertainty_95
    span_s = (found.windows[-1].end_s - found.windows[0].start_s) / 20
    net_j = energy.gross_energy_per_image_j.value - 0.5 * span_s
    assert abs(energy.net_energy_per_image_j.value - net_j) <= energy.net_energy_per_image_j.expanded_uncertainty_95
    if count == 40_000:  # where there is time, its last part is taken, and the doubt is small
        assert energy.idle_power_w.value == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize(("swing_v", "verdict"), [(2.0, Verdict.INVALID), (2e-3, Verdict.DEGRADED)])
def test_current_that_changes_its_sign_in_a_short_window_is_in_the_doubt(swing_v: float, verdict: Verdict) -> None:
    """Within one capture's sample current and voltage move together: their means hold little of the energy."""
    count, window = 400_000, slice(200_000, 202_000)
    current_a, voltage_v, levels = np.full(count, 0.05), np.full(count, 5.0), np.zeros(count, bool)
    levels[window] = True
    swing = np.tile([1.0, -1.0], 1000)
    current_a[window], voltage_v[window] = 0.02 + swing, 5.0 + swing_v * swing
    gather = Gather(path=Path("x"), instrument="t", interval_s=1e-4, bin_limit=20_000, expected=count)
    gather.add(current_a, voltage_v, levels)
    series = gather.series()
    windows = gather.windows(series.bins.span.end_s)
    found = Recording(record=series.bins, windows=windows, images=(1,), series=series, identity="m", instrument="jls")
    made = draft(found, images=1)
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.energy is not None
    gross = analysis.energy.gross_energy_per_image_j
    assert abs(gross.value - energy_j(found.record, windows[0])) <= gross.expanded_uncertainty_95
    assert analysis.verdict is verdict  # one window alone is degraded
    assert (ReasonCode.SAMPLE_RATE in {one.code for one in analysis.reasons}) is (verdict is Verdict.INVALID)


def test_windows_that_thinning_would_merge_are_refused() -> None:
    with pytest.raises(ImportRefused, match=r"of 2 windows \d can be told apart.*--from and --to"):
        draft(recording(bin_limit=8))


def test_a_stretch_keeps_every_sample_of_itself() -> None:
    whole, part = recording(), recording(choice=Choice(from_s=0.5, to_s=1.1))
    assert part.windows == (Window(start_s=0.6, end_s=1.0),)
    assert energy_j(part.record, part.windows[0]) == pytest.approx(energy_j(whole.record, whole.windows[0]))
    (one,) = draft(part).captures
    assert one.capture.time_base.origin_s == pytest.approx(0.5 + 0.5 / RATE_HZ)


def test_an_unknown_accuracy_never_looks_sure() -> None:
    made = draft(recording(), StatedAccuracy())
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.verdict is Verdict.DEGRADED
    (reason,) = [one for one in analysis.reasons if one.code is ReasonCode.ACCURACY_UNKNOWN]
    for option in ("--gain-accuracy", "--offset-accuracy", "--voltage-gain-accuracy", "--voltage-offset-accuracy"):
        assert option in reason.text


def test_a_gain_of_the_instrument_counts_in_proportion() -> None:
    made = draft(recording(), replace(EXACT, gain=0.03))
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.energy is not None
    gross = analysis.energy.gross_energy_per_image_j
    (term,) = [one for one in analysis.energy.budget if one.term == "instrument gain"]
    assert term.standard_uncertainty_j == pytest.approx(0.03 / 3**0.5 * gross.value, rel=1e-6)
    assert term.common == "Jetperch JS110 002557: gain"  # one unit, whose gain two of its recordings share


def test_a_model_is_many_units_and_a_serial_number_is_one() -> None:
    nameless = replace(recording(), identity="", is_unit=False)

    def names(found: Recording, **said: str) -> tuple[str, bool, str | None]:
        made = draft_of(found, SOURCE, images_per_window=10, accuracy=replace(EXACT, gain=0.01), **said)  # type: ignore[arg-type]
        energy = analyse_import(made.captures, made.facts).energy
        assert energy is not None
        (gain,) = [one for one in energy.budget if one.term == "instrument gain"]
        return made.facts.identity, made.facts.is_unit, gain.common

    assert names(nameless, instrument="Joulescope JS220") == ("Joulescope JS220", False, None)
    assert names(recording(), instrument="Joulescope JS220") == ("Joulescope JS220", False, None)
    assert names(nameless, instrument="JS220", serial="17") == ("JS220 17", True, "JS220 17: gain")
    with pytest.raises(ImportRefused, match="--instrument"):
        names(nameless, serial="17")


def test_our_own_bench_is_in_no_budget() -> None:
    made = draft(recording(), StatedAccuracy(gain=0.01, offset_a=1e-3, voltage_gain=0.01, voltage_offset_v=0.01))
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.energy is not None
    words = " ".join(f"{one.term} {one.source}" for one in analysis.energy.budget)
    assert not any(word in words for word in ("probe", "scope", "declared", "lead"))


def test_points_taken_slowly_are_invalid_and_means_are_not() -> None:
    points = draft(recording(means=False))
    assert analyse_import(points.captures, points.facts).verdict is Verdict.INVALID
    (reason,) = reasons_of(points.facts)
    assert reason.code is ReasonCode.SAMPLE_RATE
    assert "--means" in reason.text
    assert not reasons_of(draft(recording(means=True)).facts)


def test_a_window_that_is_the_whole_file_gets_its_edges() -> None:
    found = recording()
    whole = replace(found, windows=(found.record.span,), images=(10,), sync="given")
    made = draft(whole)
    assert made.facts.repeated_samples == 2
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.energy is not None
    exact_j = energy_j(found.record, found.record.span) / 10
    assert analysis.energy.gross_energy_per_image_j.value == pytest.approx(exact_j, rel=1e-6)


def test_energies_alone_become_a_current_and_need_no_voltage() -> None:
    current_a, voltage_v, _ = signals()
    series = Series(
        energies_j=current_a * voltage_v / RATE_HZ,
        charges_c=None,
        levels=None,
        lowest_voltage_v=float("nan"),
        highest_voltage_v=float("nan"),
        interval_s=1 / RATE_HZ,
    )
    windows = (Window(start_s=0.6, end_s=1.0), Window(start_s=1.2, end_s=1.6))
    found = Recording(
        record=series.bins, windows=windows, images=(10, 10), series=series, identity="x", instrument="energyrunner"
    )
    for supply_v in (None, 3.3):
        made = draft_of(
            found, SOURCE, images_per_window=10, accuracy=StatedAccuracy(gain=0.01, offset_a=0.0), supply_v=supply_v
        )
        # windows of their own: what lies between them counts nowhere
        assert len(made.captures) == 2
        analysis = analyse_import(made.captures, made.facts)
        assert analysis.verdict is Verdict.VALID, analysis.reasons
        assert analysis.energy is not None
        exact_j = sum(energy_j(found.record, one) for one in windows) / 20
        assert analysis.energy.gross_energy_per_image_j.value == pytest.approx(exact_j, rel=1e-4)


def test_unsure_windows_are_left_out_and_none_sure_is_refused() -> None:
    found = replace(
        recording(), sync="step", doubts=("an edge may be 9 ms off", None), images=(None, 10), edge_limit_s=3e-3
    )
    made = draft(found)
    assert len(made.captures) == made.facts.window_count == 1
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.energy is not None
    assert {"window start", "window end"} <= {one.term for one in analysis.energy.budget}
    with pytest.raises(ImportRefused, match="none of 2 windows"):
        draft(replace(found, doubts=("a", "b"), images=(None, None)))


def test_windows_of_different_images_are_refused() -> None:
    with pytest.raises(ImportRefused, match=r"different numbers of images \(10, 20\)"):
        images_of(replace(recording(), images=(10, 20)))
    assert images_of(recording(images=None)) is None


@pytest.mark.parametrize(("from_s", "to_s", "windows"), [(0.8, 2.0, 1), (0.0, 1.4, 1), (0.8, 1.8, 1), (0.0, 2.0, 2)])
def test_pulses_that_the_files_ends_cut_are_none(from_s: float, to_s: float, windows: int) -> None:
    made = draft(recording(choice=Choice(from_s=from_s, to_s=to_s)))
    assert made.facts.window_count == windows
    assert made.facts.repeated_samples == 0
    analysis = analyse_import(made.captures, made.facts)
    assert (analysis.batches, analysis.images) == (windows, 10 * windows)
    assert analysis.verdict is not Verdict.INVALID, analysis.reasons


def test_the_end_of_a_cut_pulse_is_no_idle_time() -> None:
    """The file begins half a millisecond before the end of a pulse; what follows it is idle."""
    made = draft(recording(choice=Choice(from_s=0.9995)))
    analysis = analyse_import(made.captures, made.facts)
    assert analysis.batches == 1
    assert analysis.energy is not None
    assert analysis.energy.idle_power_w is not None
    assert analysis.energy.idle_power_w.value == pytest.approx(0.2 * 4.96, rel=0.01)
    levels = made.captures[0].capture.marker_levels()
    assert levels is not None
    assert not levels[0]
