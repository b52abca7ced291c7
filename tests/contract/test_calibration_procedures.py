"""The procedures on the simulated bench, through the unmodified drivers, against what is really the case."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from calibration import workbench as workbench_module
from calibration.bench_operator import Step, run_batches
from calibration.chain_certificate import SUPPLY
from calibration.document import certificate_to_text, text_to_certificate
from calibration.errors import ProcedureFailed
from calibration.procedures.delay import measure_delay
from calibration.procedures.gain import calibrate_gain
from calibration.procedures.lead import Limits, lead_settings, measure_lead
from calibration.procedures.zero import measure_zero
from calibration.reference import Ammeter
from instruments.current_probe import CurrentProbe
from instruments.errors import InstrumentTimeout, NotTriggered
from instruments.simulated.error_draw import InstrumentErrors
from instruments.simulated.probe_physics import ProbeSettings
from instruments.supply_reading import SupplyMode
from metrology.marker import read_marker
from metrology.window import Window
from tests.contract.calibrated_bench import CalibratedBench, calibrated_bench
from tests.long_cases import long_cases

READBACK_GAIN, READBACK_OFFSET_A = 0.0015, 0.005


def true_gain(errors: dict[str, Any]) -> float:
    return 1 / ((1 + 0.03 * errors["probe_gain"]) * (1 + 0.03 * errors["scope_gain"]["1"]))


async def as_found(bench: CalibratedBench) -> tuple[float, float, SupplyMode, bool]:
    reading = await bench.workbench.bench.read_supply()
    voltage_v, current_a = await bench.workbench.bench.supply_set_points()
    return voltage_v, current_a, reading.mode, reading.output_on


@pytest.mark.long
@pytest.mark.parametrize("seed", [11, *long_cases(12, 13, 14)])
async def test_gain_and_zero_lie_within_what_the_certificate_says(seed: int) -> None:
    async with calibrated_bench(seed=seed) as bench:
        before = await as_found(bench)
        zero = await measure_zero(bench.workbench)
        fitted = await calibrate_gain(bench.workbench)
        chain, errors = fitted.certificate, bench.errors
        assert await as_found(bench) == before
    relative = chain.gain.value / true_gain(errors) - 1
    assert abs(relative) < READBACK_GAIN + 4 * chain.gain_random.standard_uncertainty
    # what is left when the read-back's own gain error is taken off is the fit's alone
    alone = relative - READBACK_GAIN * errors["readback_current"]
    assert abs(alone) < 4 * chain.gain_random.standard_uncertainty
    assert chain.gain_random.standard_uncertainty < 2e-4
    assert chain.gain_reference.standard_uncertainty == pytest.approx(chain.gain.value * READBACK_GAIN / math.sqrt(3))
    assert (chain.reference, chain.shares_supply) == (SUPPLY, True)
    assert zero.supply_offset_a is not None
    assert zero.supply_offset_a.value == pytest.approx(READBACK_OFFSET_A * errors["readback_current"], abs=1e-4)
    assert zero.zero_a.value == pytest.approx(chain.zero_a.value, abs=2e-3)  # the zero drifts in between
    assert zero.noise_a_rms == pytest.approx(0.03, rel=0.1)


async def test_a_certificate_names_instruments_records_and_conditions() -> None:
    async with calibrated_bench() as bench:
        chain = (await calibrate_gain(bench.workbench, levels=3)).certificate
        told = bench.told
        assert [use.capture_id for use in chain.provenance.captures] == list(bench.kept.captures)
    assert len(chain.provenance.captures) == 6
    assert chain.provenance.procedure == "gain"
    assert "MSO-X 2024A" in chain.provenance.instruments["oscilloscope"]
    assert "E3645A" in chain.provenance.instruments["power_supply"]
    assert (chain.conditions.turns, chain.conditions.acquisition_type) == (1, "NORM")
    assert text_to_certificate(certificate_to_text(chain)) == chain
    assert [done for _, done, _ in told] == list(range(1, 8))
    assert {total for _, _, total in told} == {7}


@pytest.mark.long
async def test_turns_and_a_resistor() -> None:
    changes = {
        "probe": CurrentProbe(turns=5),
        "current_scale_a_per_div": 0.2,
        "world": {"probe": ProbeSettings(turns=5)},
    }
    async with calibrated_bench(**changes) as bench:
        by_short = (await calibrate_gain(bench.workbench, levels=3)).certificate
        by_resistor = (await calibrate_gain(bench.workbench, resistor_ohm=8.0, levels=3)).certificate
        errors = bench.errors
    for one in (by_short, by_resistor):
        relative = one.gain.value / true_gain(errors) - 1 - READBACK_GAIN * errors["readback_current"]
        assert abs(relative) < 4 * one.gain_random.standard_uncertainty
        assert one.conditions.turns == 5


async def test_a_bracket_follows_the_zero_with_the_jaw_open() -> None:
    async with calibrated_bench() as bench:
        before = await measure_zero(bench.workbench)
        bench.truth.wire(zero_shift_a=0.004)
        after = await measure_zero(bench.workbench, jaw_open=True, opened_by=before)
        reading = await bench.workbench.bench.read_supply()
        drawn = 0.005 * bench.errors["probe_drift"]
    assert after.opened_by == before.certificate_id
    assert after.supply_offset_a is None
    assert reading.current_a > 0.1, "the board went on drawing"
    assert after.bracket_drift_a is not None
    # the world's own slow drift comes on top of the shift, at most what was drawn
    assert after.bracket_drift_a.value == pytest.approx(0.004, abs=abs(drawn) + 5e-4)
    assert after.bracket_drift_a.standard_uncertainty < 5e-4


async def test_a_bracket_of_other_settings_is_not_closed() -> None:
    async with calibrated_bench() as bench:
        before = await measure_zero(bench.workbench, captures=1)
        other = replace(before, conditions=replace(before.conditions, turns=3))
        with pytest.raises(ProcedureFailed, match="turns is 1, not 3"):
            await measure_zero(bench.workbench, opened_by=other)


@pytest.mark.parametrize("seed", [11, *long_cases(12)])
async def test_delay_and_settling_of_the_simulated_board(seed: int) -> None:
    async with calibrated_bench(seed=seed) as bench:
        certificate = (await measure_delay(bench.workbench, board="nucleo")).certificate
        circuit = bench.circuit
    settling_s = circuit["series_resistance_ohm"] * 1000e-6
    assert certificate.board == "nucleo"
    for edge, delay in (("rise", certificate.rise_delay_s), ("fall", certificate.fall_delay_s)):
        # the current comes before the marker that is late, and after the probe's own delay
        true_s = 1.6e-6 - circuit[f"marker_{edge}_latency_s"]
        assert abs(true_s) > 5e-6, "a delay that is there to be found"
        assert abs(delay.value - true_s) < 2.5 * delay.standard_uncertainty
        assert delay.standard_uncertainty < 5e-6
    assert certificate.settling_s.value == pytest.approx(settling_s, rel=0.03)


@pytest.mark.parametrize("seed", [11, *long_cases(12, 13)])
async def test_with_it_each_edge_lies_within_a_sample_of_the_true_one(seed: int) -> None:
    """The marker of this board is late by up to 100 us, five samples."""
    async with calibrated_bench(seed=seed) as bench:
        certificate = (await measure_delay(bench.workbench, board="nucleo")).certificate
        pulses = ((0.15, 0.005),) * 11
        capture = await bench.workbench.triggered_capture("run", run_batches(pulses))
        truth = bench.truth.acquisitions()[-1]
    span = Window(start_s=capture.time_base.origin_s, end_s=capture.time_base.end_s)
    stretch = (truth["end_s"] - truth["start_s"]) / span.duration_s
    true_s = np.array([[span.start_s + (at - truth["start_s"]) / stretch for at in edges] for edges in truth["pulses"]])
    levels = capture.marker_levels()
    assert levels is not None
    shown = read_marker(levels, capture.time_base)
    corrected = shown.delayed(rise_s=certificate.rise_delay_s.value, fall_s=certificate.fall_delay_s.value, span=span)
    off_s = [
        np.abs(np.array([[one.start_s, one.end_s] for one in reading.pulses]) - true_s).max()
        for reading in (shown, corrected)
    ]
    assert len(shown.pulses) == 11
    assert off_s[1] <= capture.time_base.interval_s < off_s[0]


@pytest.mark.parametrize("seed", [11, *long_cases(12, 13)])
async def test_lead_resistance(seed: int) -> None:
    async with calibrated_bench(seed=seed, settings=lead_settings) as bench:
        before = await as_found(bench)
        fitted = await measure_lead(bench.workbench)
        circuit = bench.circuit
        assert await as_found(bench) == before
    lead_ohm = circuit["series_resistance_ohm"] - circuit["source_resistance_ohm"]
    found = fitted.certificate.resistance_ohm
    assert abs(found.value - lead_ohm) < 3 * found.standard_uncertainty
    assert found.standard_uncertainty < 0.01 * lead_ohm


async def test_the_channels_gain_is_a_nuisance_that_counts() -> None:
    async with calibrated_bench(settings=lead_settings) as bench:
        fitted = await measure_lead(bench.workbench, levels=3, limits=Limits(channel_gain=0.5))
    assert fitted.certificate.resistance_ohm.standard_uncertainty > 0.5 * 0.01 / math.sqrt(3) * 0.9


async def test_remote_sense_needs_no_measurement() -> None:
    async with calibrated_bench() as bench:
        fitted = await measure_lead(bench.workbench, remote_sense=True)
        assert not bench.kept.captures
    assert fitted.certificate.resistance_ohm.value == 0.0
    assert fitted.certificate.resistance_ohm.standard_uncertainty == 0.0


class IdleHands:
    """An operator who does nothing that is asked."""

    def perform(self, step: Step) -> None:
        del step

    def read_number(self, question: str) -> float:
        raise AssertionError(question)


class NobodyShorts:
    """An operator who disconnects the board and does nothing else."""

    def __init__(self) -> None:
        self.bench: CalibratedBench | None = None

    def perform(self, step: Step) -> None:
        assert self.bench is not None
        if step.wiring.get("load") == "open":
            self.bench.truth.wire(**step.wiring)

    def read_number(self, question: str) -> float:
        raise AssertionError(question)


async def test_a_short_that_nobody_made_is_told_and_the_output_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench_module, "SETTLE_DEADLINE_S", 0.1)
    hands = NobodyShorts()
    async with calibrated_bench(operator=hands) as bench:
        hands.bench = bench
        told = r"does not come to 0\.2 A in cc: .* check the wiring; the supply's output was left off; .*front panel$"
        with pytest.raises(ProcedureFailed, match=told):
            await calibrate_gain(bench.workbench)
        voltage_v, current_a, _, output_on = await as_found(bench)
    assert (voltage_v, current_a, output_on) == (19.0, 2.2, False)


@pytest.mark.parametrize("procedure", [measure_zero, calibrate_gain])
async def test_a_board_that_is_still_connected_is_told_by_what_it_draws(procedure: Any) -> None:
    async with calibrated_bench(operator=IdleHands()) as bench:
        told = r"reads \d+\.\d mA where nothing .* within ±5 mA .* disconnect the board .* left off"
        with pytest.raises(ProcedureFailed, match=told):
            await procedure(bench.workbench)
        voltage_v, current_a, _, output_on = await as_found(bench)
        assert not bench.kept.captures
    assert (voltage_v, current_a, output_on) == (19.0, 2.2, False)


async def test_an_ammeter_does_not_excuse_a_board_that_is_still_connected() -> None:
    async with calibrated_bench(operator=IdleHands()) as bench:
        with pytest.raises(ProcedureFailed, match="disconnect the board"):
            await calibrate_gain(bench.workbench, reference=Ammeter(gain_limit=1e-4, offset_limit_a=1e-5))


async def test_how_large_an_offset_may_be_is_the_benchs_own() -> None:
    async with calibrated_bench(offset_limit_a=1e-4) as bench:
        assert abs(READBACK_OFFSET_A * bench.errors["readback_current"]) > 5e-4, "an offset that is there to be found"
        with pytest.raises(ProcedureFailed, match=r"within ±0\.1 mA"):
            await measure_zero(bench.workbench)


class Interrupted:
    """An operator who is interrupted while the wiring is changed."""

    def perform(self, step: Step) -> None:
        raise KeyError(step.text)

    def read_number(self, question: str) -> float:
        raise AssertionError(question)


async def test_what_is_no_error_of_ours_tells_by_progress_that_the_output_stays_off() -> None:
    async with calibrated_bench(operator=Interrupted()) as bench:
        with pytest.raises(KeyError):
            await measure_zero(bench.workbench)
        assert not (await as_found(bench))[3]
        assert "output was left off" in bench.told[-1][0]


async def test_a_supply_that_is_lost_meanwhile_is_not_said_to_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async with calibrated_bench(operator=IdleHands()) as bench:

        async def lost(on: bool, *, settle: bool = True) -> None:
            calls.append(on)
            if calls == [False, True, False]:
                raise InstrumentTimeout("no answer", instrument="power_supply", operation="write")
            await switch(on, settle=settle)

        calls: list[bool] = []
        switch = bench.workbench.bench.set_supply_output
        monkeypatch.setattr(bench.workbench.bench, "set_supply_output", lost)
        with pytest.raises(ProcedureFailed, match=r"could not be switched off .*no answer.* before you touch"):
            await measure_zero(bench.workbench)


class LooseClamp:
    """An operator whose probe moves in the middle of the ladder."""

    def __init__(self) -> None:
        self.bench: CalibratedBench | None = None

    def perform(self, step: Step) -> None:
        assert self.bench is not None
        self.bench.truth.wire(**step.wiring)

    def read_number(self, question: str) -> float:
        raise AssertionError(question)


@pytest.mark.long
async def test_points_off_the_line_give_no_certificate() -> None:
    hands = LooseClamp()
    async with calibrated_bench(operator=hands) as bench:
        hands.bench = bench
        keep = bench.workbench._keep

        def disturbed(capture_id: str, capture: Any, facts: Any) -> Any:
            if capture_id.endswith("-03"):
                bench.truth.wire(zero_shift_a=0.02)
            if capture_id.endswith("-04"):
                bench.truth.wire(zero_shift_a=0.0)
            return keep(capture_id, capture, facts)

        bench.workbench._keep = disturbed
        with pytest.raises(ProcedureFailed, match=r"do not lie on a line .* the worst is"):
            await calibrate_gain(bench.workbench)


async def test_a_screen_too_small_for_a_ladder_is_told() -> None:
    async with calibrated_bench(current_scale_a_per_div=0.05, current_offset_a=0.15) as bench:
        with pytest.raises(ProcedureFailed, match="so that the screen shows more"):
            await calibrate_gain(bench.workbench)


async def test_lead_without_a_fine_voltage_channel_is_told() -> None:
    async with calibrated_bench() as bench:
        with pytest.raises(ProcedureFailed, match="open the bench with `lead_settings`"):
            await measure_lead(bench.workbench)


async def test_a_board_that_never_starts_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench_module, "COMPLETE_MARGIN_S", -1.8)
    async with calibrated_bench(operator=IdleHands()) as bench:
        with pytest.raises(NotTriggered, match="is the marker wired"):
            await measure_delay(bench.workbench, board="nucleo")


class AmmeterReader:
    """An operator who reads an exact ammeter: the truth."""

    def __init__(self) -> None:
        self.bench: CalibratedBench | None = None
        self.asked = 0

    def perform(self, step: Step) -> None:
        assert self.bench is not None
        self.bench.truth.wire(**step.wiring)

    def read_number(self, question: str) -> float:
        assert self.bench is not None
        assert "ampere" in question
        self.asked += 1
        return self.bench.truth.supply_means()["current_a"]


async def test_a_better_ammeter_by_entry() -> None:
    reader = AmmeterReader()
    async with calibrated_bench(operator=reader, errors=InstrumentErrors.DATASHEET) as bench:
        reader.bench = bench
        reference = Ammeter(gain_limit=1e-4, offset_limit_a=1e-5)
        chain = (await calibrate_gain(bench.workbench, levels=3, reference=reference)).certificate
        errors = bench.errors
    assert reader.asked == 12
    assert abs(chain.gain.value / true_gain(errors) - 1) < 4 * chain.gain.standard_uncertainty
    assert chain.gain.standard_uncertainty < 2.5e-4
    assert not chain.shares_supply
