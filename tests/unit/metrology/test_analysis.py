"""Analysis of whole runs: the energy of a known load, and a verdict for each thing that can be wrong."""

from dataclasses import replace

import numpy as np
import pytest

from metrology.analysis import MeasuredCapture, RunAnalysis, RunFacts, analyse
from metrology.estimate import Estimate
from metrology.influences import Influences
from metrology.quality import QualityLimits, ReasonCode, Verdict, calibration_missing_reason
from metrology.supply import SupplyConditions
from metrology.timebase import TimeBase
from tests.unit.metrology.captures import capture_of, trace_of

INFLUENCES = Influences(
    probe_gain=Estimate.within(1.0, 0.03, source="data sheet"),
    probe_zero_a=Estimate.within(0.0, 0.05, source="data sheet"),
    probe_drift_a=Estimate.within(0.0, 0.005, source="declared"),
    scope_gain_error=Estimate.within(0.0, 0.03, source="data sheet"),
    scope_centre_a=0.5,
    scope_offset_a=Estimate.within(0.0, 0.04, source="data sheet"),
    supply_voltage_error_v=Estimate.within(0.0, 0.0145, source="data sheet"),
    lead_resistance_ohm=Estimate.within(0.05, 0.01, source="declared"),
    clock_error=Estimate.within(0.0, 25e-6, source="data sheet"),
)
SOUND = SupplyConditions(
    idle_voltage_v=19.0, loaded_voltage_v=19.0, constant_voltage=True, tripped=False, output_on=True
)
EIGHT = [(10_000 + 10_000 * k, 19_990 + 10_000 * k) for k in range(8)]
FACTS = RunFacts(batch_size=4, batches=8, images=32, captures_planned=1, batch_duration_s=0.1998, run_duration_s=1.5998)
ACTIVE_W = (19.0 - 0.05 * 0.7) * 0.7
IDLE_W = (19.0 - 0.05 * 0.15) * 0.15


def captured(pulses: list[tuple[int, int]] = EIGHT, *, name: str = "capture 0") -> MeasuredCapture:
    return MeasuredCapture(name=name, capture=capture_of(pulses), supply=SOUND)


def analysed(*captures: MeasuredCapture, facts: RunFacts = FACTS) -> RunAnalysis:
    return analyse(captures or [captured()], facts=facts, influences=INFLUENCES, limits=QualityLimits())


def codes(found: RunAnalysis) -> set[ReasonCode]:
    return {reason.code for reason in found.reasons}


def test_a_known_load_gives_its_energy_per_image() -> None:
    found = analysed()
    assert found.reasons == ()
    assert found.verdict is Verdict.VALID
    assert (found.batches, found.images) == (8, 32)
    energy = found.energy
    assert energy is not None
    duration_s = (89_990 - 10_000) * 20e-6
    gross_j = ACTIVE_W * 8 * 9_990 * 20e-6 + IDLE_W * 7 * 10 * 20e-6
    assert energy.gross_energy_per_image_j.value == pytest.approx(gross_j / 32, rel=1e-5)
    assert energy.net_energy_per_image_j is not None
    assert energy.net_energy_per_image_j.value == pytest.approx((gross_j - IDLE_W * duration_s) / 32, rel=1e-5)
    assert energy.idle_power_w is not None
    assert energy.idle_power_w.value == pytest.approx(IDLE_W, rel=1e-6)
    assert energy.mean_power_w.value == pytest.approx(gross_j / duration_s, rel=1e-5)
    assert found.images_per_s == pytest.approx(32 / duration_s)


def test_the_same_captures_give_the_same_bits() -> None:
    assert analysed() == analysed()


def test_later_captures_pool_and_use_the_first_baseline() -> None:
    later = captured([(0, 5_000), *EIGHT, (95_000, 100_000)], name="capture 1")
    facts = replace(FACTS, batches=40, images=160, captures_planned=2, run_duration_s=8.0)
    found = analysed(captured(), later, facts=facts)
    assert found.reasons == ()
    assert found.images == 64
    assert found.energy is not None
    assert found.energy.net_energy_per_image_j is not None


def test_a_batch_longer_than_the_record_is_degraded_and_still_right() -> None:
    facts = replace(FACTS, batches=2, images=8, batch_duration_s=3.0, run_duration_s=6.0)
    found = analysed(captured([(10_000, 100_000)]), facts=facts)
    assert codes(found) == {ReasonCode.NO_WHOLE_BATCH, ReasonCode.TOO_FEW_BATCHES}
    assert found.verdict is Verdict.DEGRADED
    assert found.energy is not None
    assert found.energy.gross_energy_per_image_j.value == pytest.approx(ACTIVE_W * 3.0 / 4, rel=1e-4)


def test_a_batch_longer_than_the_record_without_the_boards_duration_is_no_number() -> None:
    facts = replace(FACTS, batches=2, images=8, batch_duration_s=None, run_duration_s=None)
    found = analysed(captured([(10_000, 100_000)]), facts=facts)
    assert found.energy is None
    assert found.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(FACTS, batches=9, images=36), ReasonCode.BATCH_COUNT),
        (replace(FACTS, batches=7, images=28), ReasonCode.BATCH_COUNT),
        (replace(FACTS, images=31), ReasonCode.BATCH_COUNT),
        (replace(FACTS, captures_planned=2), ReasonCode.TOO_FEW_CAPTURES),
    ],
)
def test_what_the_board_says_must_fit(facts: RunFacts, code: ReasonCode) -> None:
    found = analysed(facts=facts)
    assert codes(found) == {code}
    assert found.verdict is not Verdict.VALID


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"constant_voltage": False}, ReasonCode.SUPPLY_NOT_CV),
        ({"tripped": True}, ReasonCode.SUPPLY_TRIPPED),
        ({"output_on": False}, ReasonCode.SUPPLY_OFF),
    ],
)
def test_a_supply_in_trouble_is_invalid(change: dict[str, bool], code: ReasonCode) -> None:
    found = analysed(replace(captured(), supply=replace(SOUND, **change)))
    assert codes(found) == {code}
    assert found.verdict is Verdict.INVALID


def test_without_a_pod_there_is_no_energy() -> None:
    one = captured()
    found = analysed(replace(one, capture=replace(one.capture, marker_pod_counts=None)))
    assert codes(found) == {ReasonCode.MARKER_MISSING}
    assert found.energy is None


def test_a_marker_that_never_rises_is_no_energy() -> None:
    found = analysed(captured([]))
    assert codes(found) == {ReasonCode.MARKER_MISSING}
    assert found.energy is None


def test_a_run_that_begins_with_the_record_has_no_net() -> None:
    facts = replace(FACTS, batches=2, images=8, run_duration_s=None)
    found = analysed(captured([(20, 40_000), (40_010, 80_000)]), facts=facts)
    assert ReasonCode.BASELINE_MISSING in codes(found)
    assert found.energy is not None
    assert found.energy.net_energy_per_image_j is None


def test_drift_over_the_batches_is_named() -> None:
    one = captured()
    counts = one.capture.current.counts.astype(np.int64)
    ramp = np.linspace(0, 1000, counts.size).astype(np.int64)
    warm = replace(one.capture.current, counts=(counts + ramp).astype(np.uint16))
    found = analysed(replace(one, capture=replace(one.capture, current=warm)))
    assert codes(found) == {ReasonCode.DRIFT}


def test_one_clipped_sample_makes_the_run_invalid() -> None:
    one = captured()
    counts = one.capture.current.counts.copy()
    counts[50_000] = 0xFFFF
    found = analysed(replace(one, capture=replace(one.capture, current=replace(one.capture.current, counts=counts))))
    assert codes(found) == {ReasonCode.CLIPPED}
    assert found.verdict is Verdict.INVALID


def test_an_interval_as_wide_as_the_value_is_degraded() -> None:
    wild = replace(INFLUENCES, probe_gain=Estimate.within(1.0, 0.9, source="a guess"))
    found = analyse([captured()], facts=FACTS, influences=wild, limits=QualityLimits())
    assert codes(found) == {ReasonCode.UNCERTAIN}
    assert found.verdict is Verdict.DEGRADED


def test_what_is_known_of_the_bench_counts() -> None:
    known = calibration_missing_reason()
    found = analyse([captured()], facts=FACTS, influences=INFLUENCES, limits=QualityLimits(), known_reasons=[known])
    assert found.reasons == (known,)
    assert found.verdict is Verdict.DEGRADED


LONG_PULSES = [(10_000 + 2_500 * k, 12_490 + 2_500 * k) for k in range(36)]
LONG_RUN = RunFacts(
    batch_size=4,
    batches=400,
    images=1600,
    captures_planned=1,
    batch_durations_s=(0.0498,) * 400,
    batch_duration_s=0.0498,
    run_duration_s=20.0,
)
"""A run that outlasts its record, so that the count alone tells nothing."""


def merged(pulses: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Every second falling edge is missed: two batches and their gap look like one."""
    return [(first[0], second[1]) for first, second in zip(pulses[::2], pulses[1::2], strict=True)]


@pytest.mark.parametrize("timed", ["each", "median", "period"])
@pytest.mark.parametrize(
    "pulses",
    [
        merged(LONG_PULSES),
        [*LONG_PULSES[:5], (23_000, 23_001), *LONG_PULSES[6:]],
        [(10_000, 10_002), (10_020, 10_021), (10_040, 10_043)],
    ],
    ids=["edges missed", "a glitch", "bounce alone"],
)
def test_a_marker_that_lies_is_found_in_a_run_longer_than_its_record(pulses: list[tuple[int, int]], timed: str) -> None:
    told = {
        "each": LONG_RUN,
        "median": replace(LONG_RUN, batch_durations_s=()),
        "period": replace(LONG_RUN, batch_durations_s=(), batch_duration_s=None),
    }[timed]
    found = analysed(captured(pulses), facts=told)
    if timed == "median" and pulses == merged(LONG_PULSES):
        assert found.verdict is Verdict.INVALID  # by the pace: twice as long a pulse alone could be a slow batch
    assert ReasonCode.MARKER_ODD in codes(found)
    assert found.verdict is Verdict.INVALID


def test_a_run_longer_than_its_record_is_valid_while_its_marker_tells_the_truth() -> None:
    assert analysed(captured(LONG_PULSES), facts=LONG_RUN).reasons == ()
    bare = replace(LONG_RUN, batch_durations_s=(), batch_duration_s=None, run_duration_s=None)
    assert analysed(captured(LONG_PULSES), facts=bare).reasons == ()


HOT = replace(LONG_RUN, batch_durations_s=(0.0498,) * 100 + (0.1498,) * 300, run_duration_s=50.0)
"""A board that gets hot after a quarter of its batches, and runs three times as slow."""


def test_a_board_that_slows_down_is_no_marker_that_lies() -> None:
    assert ReasonCode.MARKER_ODD not in codes(analysed(captured(LONG_PULSES), facts=HOT))
    two = replace(HOT, captures_planned=2)
    later = captured([(3_000 + 7_500 * k, 10_490 + 7_500 * k) for k in range(12)], name="capture 1")
    assert ReasonCode.MARKER_ODD not in codes(analysed(captured(LONG_PULSES), later, facts=two))
    # the same pulses are too quick for a board that never was
    slow = replace(HOT, batch_durations_s=(0.1248,) * 400)
    assert ReasonCode.MARKER_ODD in codes(analysed(captured(LONG_PULSES), facts=slow))


def test_where_whole_pulses_are_missing_the_pace_tells() -> None:
    """Every second pulse is not there at all: each that is lasts as long as a batch does."""
    found = analysed(captured(LONG_PULSES[::2]), facts=LONG_RUN)
    assert ReasonCode.MARKER_ODD in codes(found)
    assert ReasonCode.MARKER_ODD in codes(analysed(captured(LONG_PULSES[::2]), facts=HOT))


def test_batches_may_differ_as_the_board_says_they_do() -> None:
    pulses = [(10_000, 11_000), (11_010, 21_010), (21_020, 22_020)]
    told = replace(
        LONG_RUN,
        batches=3,
        images=12,
        batch_durations_s=(0.02, 0.2, 0.02),
        batch_duration_s=0.02,
        run_duration_s=0.2404,
    )
    assert ReasonCode.MARKER_ODD not in codes(analysed(captured(pulses), facts=told))


def test_a_probe_the_wrong_way_round_is_no_energy_to_publish() -> None:
    one = captured()
    reversed_scale = replace(one.capture.current.scale, increment=-1e-4, origin=-0.5)
    backwards = replace(one.capture, current=replace(one.capture.current, scale=reversed_scale))
    found = analysed(replace(one, capture=backwards))
    assert ReasonCode.CURRENT_REVERSED in codes(found)
    assert found.verdict is Verdict.INVALID


def test_a_cut_batch_that_contradicts_the_board_is_invalid() -> None:
    facts = replace(FACTS, batches=2, images=8, batch_duration_s=0.1, run_duration_s=0.2)
    found = analysed(captured([(10_000, 100_000)]), facts=facts)
    assert found.energy is None
    assert found.verdict is Verdict.INVALID


def test_nothing_captured_is_nothing_measured() -> None:
    found = analyse([], facts=FACTS, influences=INFLUENCES, limits=QualityLimits())
    assert found.energy is None
    assert found.verdict is Verdict.INVALID


def test_noise_of_a_cut_batch_is_extrapolated_with_it() -> None:
    """Ten times the time seen is ten times the deviation of what was seen, not the root of ten."""
    noise = np.random.default_rng(5).normal(scale=0.03, size=100_000)
    one = captured([(10_000, 100_000)])
    capture = replace(one.capture, current=trace_of(one.capture.current.values + noise))
    facts = replace(FACTS, batches=1, images=4, batch_duration_s=17.9998, run_duration_s=18.0)
    found = analysed(replace(one, capture=capture), facts=facts)
    assert ReasonCode.NO_WHOLE_BATCH in codes(found)
    assert found.energy is not None
    [noise_j] = [term.standard_uncertainty_j for term in found.energy.budget if term.term == "noise"]
    seen_j = 19.0 * 0.03 * np.sqrt(90_000) * 20e-6
    assert noise_j == pytest.approx(10 * seen_j / 4, rel=0.4)


def test_too_short_an_idle_stretch_is_no_baseline() -> None:
    """At 1 kSa/s, twelve samples before the first batch are too few to tell noise by."""
    base = TimeBase(origin_s=-0.012, interval_s=1e-3, sample_count=3000)
    one = replace(captured(), capture=capture_of([(13, 1500), (1510, 2990)], base=base))
    facts = RunFacts(batch_size=4, batches=2, images=8, captures_planned=1)
    assert codes(analysed(one, facts=facts)) == {ReasonCode.SAMPLE_RATE, ReasonCode.BASELINE_MISSING}
