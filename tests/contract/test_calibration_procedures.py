"""The procedures on the simulated bench, through the unmodified drivers, against what is really the case."""

import math
from dataclasses import replace
from typing import Any

import pytest

from calibration import workbench as workbench_module
from calibration.bench_operator import Step
from calibration.chain_certificate import SUPPLY
from calibration.document import certificate_to_text, text_to_certificate
from calibration.errors import ProcedureFailed
from calibration.procedures.delay import measure_delay
from calibration.procedures.gain import calibrate_gain
from calibration.procedures.lead import Limits, lead_settings, measure_lead
from calibration.procedures.zero import measure_zero
from calibration.reference import Ammeter
from instruments.current_probe import CurrentProbe
from instruments.errors import NotTriggered
from instruments.simulated.error_draw import InstrumentErrors
from instruments.simulated.probe_physics import ProbeSettings
from instruments.supply_reading import SupplyMode
from tests.contract.calibrated_bench import CalibratedBench, calibrated_bench

READBACK_GAIN, READBACK_OFFSET_A = 0.0015, 0.005


def true_gain(errors: dict[str, Any]) -> float:
    return 1 / ((1 + 0.03 * errors["probe_gain"]) * (1 + 0.03 * errors["scope_gain"]["1"]))


async def as_found(bench: CalibratedBench) -> tuple[float, float, SupplyMode, bool]:
    reading = await bench.workbench.bench.read_supply()
    voltage_v, current_a = await bench.workbench.bench.supply_set_points()
    return voltage_v, current_a, reading.mode, reading.output_on


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
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


@pytest.mark.parametrize("seed", [11, 12])
async def test_delay_and_settling_of_the_simulated_board(seed: int) -> None:
    async with calibrated_bench(seed=seed) as bench:
        certificate = (await measure_delay(bench.workbench, board="nucleo")).certificate
        settling_s = bench.circuit["series_resistance_ohm"] * 1000e-6
    assert certificate.board == "nucleo"
    for delay in (certificate.rise_delay_s, certificate.fall_delay_s):
        assert abs(delay.value - 1.6e-6) < 2.5 * delay.standard_uncertainty  # the probe's own delay
        assert delay.standard_uncertainty < 5e-6
    assert certificate.settling_s.value == pytest.approx(settling_s, rel=0.03)


@pytest.mark.parametrize("seed", [11, 12, 13])
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


async def test_a_short_that_nobody_made_is_told_and_the_output_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench_module, "SETTLE_DEADLINE_S", 0.1)
    async with calibrated_bench(operator=IdleHands()) as bench:
        with pytest.raises(ProcedureFailed, match=r"does not come to 0\.2 A in cc: .* check the wiring"):
            await calibrate_gain(bench.workbench)
        voltage_v, current_a, _, output_on = await as_found(bench)
    assert (voltage_v, current_a, output_on) == (19.0, 2.2, False)


class LooseClamp:
    """An operator whose probe moves in the middle of the ladder."""

    def __init__(self) -> None:
        self.bench: CalibratedBench | None = None

    def perform(self, step: Step) -> None:
        assert self.bench is not None
        self.bench.truth.wire(**step.wiring)

    def read_number(self, question: str) -> float:
        raise AssertionError(question)


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
