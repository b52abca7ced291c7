"""The four findings on planted data: each holds, does not hold, and cannot be told where that is what was planted."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from daemon.report.finding import Finding, Verdict
from daemon.report.finding_bound import judge_bound
from daemon.report.finding_bound import judged as bounded
from daemon.report.finding_hyperbola import NULL as HYPERBOLA_NULL
from daemon.report.finding_hyperbola import judge_hyperbola
from daemon.report.finding_hyperbola import judged as hyperbolic
from daemon.report.finding_operations import judge_operations
from daemon.report.finding_operations import judged as told_by_operations
from daemon.report.finding_power import judge_power
from daemon.report.findings import judge_findings
from runners.networks.paper import PAPER_VALUES
from tests.unit.daemon.report.planted_cells import NAMES, OPERATIONS, cell, powers

DECISION = Path(__file__).parents[4] / "docs/explanations/decisions/0040-three-verdicts-on-a-finding.md"
RNG = np.random.default_rng(11)
NOISE = RNG.normal(size=14)
TOPS = np.array([PAPER_VALUES[name].literature_top1_pct for name in NAMES])


def same(value: float = 1.0, count: int = 14) -> list[float]:
    return [value] * count


class TestPower:
    def test_it_holds_where_all_draw_alike(self) -> None:
        assert judge_power(powers(same())).verdict is Verdict.HOLDS

    def test_it_holds_within_the_margin_and_says_that_the_rest_is_real(self) -> None:
        found = judge_power(powers(list(1 + 0.02 * NOISE)))
        assert found.verdict is Verdict.HOLDS
        assert "more than the repeats explain" in found.evidence

    @pytest.mark.parametrize(
        ("by_network", "by_batch"), [(1 + 0.2 * NOISE, (1.0, 1.0, 1.0)), (np.ones(14), (0.8, 1.0, 1.2))]
    )
    def test_it_does_not_where_networks_or_batch_sizes_differ(
        self, by_network: np.ndarray, by_batch: tuple[float, ...]
    ) -> None:
        assert judge_power(powers(list(by_network), by_batch=by_batch)).verdict is Verdict.FAILS

    def test_a_spread_at_the_margin_cannot_be_told(self) -> None:
        assert judge_power(powers(list(1 + 0.05 * NOISE / NOISE.std()))).verdict is Verdict.UNTOLD

    def test_large_uncertainties_leave_it_open(self) -> None:
        assert judge_power(powers(same(count=6), own_w=2.0)).verdict is Verdict.UNTOLD

    def test_one_batch_size_leaves_it_open_and_says_so(self) -> None:
        found = judge_power(powers(same(), by_batch=(1.0,)))
        assert found.verdict is Verdict.UNTOLD
        assert "batch size cannot be tested" in found.evidence

    @staticmethod
    def unrepeated(spread: float, *, net_w_u95: float, seed: int) -> Finding:
        """Powers measured once each, that differ by a part of 10 W within networks and between them."""
        rng = np.random.default_rng(seed)
        measured_w = [(name, size, 10 * (1 + spread * rng.standard_normal())) for name in NAMES for size in (1, 4, 16)]
        return judge_power(
            [cell(name, batch_size=k, net_w=power, own_w=0.0, net_w_u95=net_w_u95) for name, k, power in measured_w]
        )

    def test_noise_within_the_stated_uncertainty_never_refutes_where_nothing_was_repeated(self) -> None:
        found = [self.unrepeated(0.1, net_w_u95=2.0, seed=seed) for seed in range(20)]
        assert {one.verdict for one in found} == {Verdict.UNTOLD}
        assert all("nothing was repeated" in one.evidence for one in found)
        assert not any("repeats explain" in one.evidence for one in found)

    def test_more_than_the_stated_uncertainty_still_refutes(self) -> None:
        found = self.unrepeated(0.2, net_w_u95=0.3, seed=1)
        assert found.verdict is Verdict.FAILS
        assert "more than their uncertainties explain" in found.evidence

    def test_little_scatter_still_holds_whatever_the_uncertainty(self) -> None:
        assert self.unrepeated(0.01, net_w_u95=2.0, seed=1).verdict is Verdict.HOLDS

    def test_powers_without_any_uncertainty_refute_nothing(self) -> None:
        assert self.unrepeated(0.2, net_w_u95=0.0, seed=1).verdict is Verdict.UNTOLD


class TestHyperbola:
    RATES = np.linspace(20.0, 2.0, 14)

    @staticmethod
    def found(rates: np.ndarray, *, time_u95: float = 0.001) -> Finding:
        return judge_hyperbola(
            [cell(name, image_s=1 / rate, time_u95=time_u95) for name, rate in zip(NAMES, rates, strict=True)]
        )

    def test_it_names_the_test_that_is_made(self) -> None:
        assert "random signs of squared errors" in HYPERBOLA_NULL
        assert "random signs of squared errors" in DECISION.read_text()

    def test_it_holds_on_a_hyperbola(self) -> None:
        rates = 1 + (TOPS.max() - TOPS) + 0.3 * np.abs(NOISE)
        assert self.found(rates).verdict is Verdict.HOLDS

    def test_its_error_bars_take_the_verdict_back(self) -> None:
        rates = 1 + (TOPS.max() - TOPS) + 0.3 * np.abs(NOISE)
        found = self.found(rates, time_u95=1.5)
        assert found.verdict is Verdict.UNTOLD
        assert "too few for 'holds'" in found.evidence

    def test_it_does_not_on_a_line_over_time(self) -> None:
        times_s = np.geomspace(0.02, 2.0, 14)
        assert hyperbolic(times_s, 55 + 12 * times_s + 0.3 * NOISE) is Verdict.FAILS

    def test_it_does_not_where_faster_networks_are_better(self) -> None:
        assert hyperbolic(1 / self.RATES, 50 + self.RATES + NOISE) is Verdict.FAILS

    def test_it_does_not_where_many_networks_show_no_relation(self) -> None:
        rng = np.random.default_rng(2)
        assert hyperbolic(rng.uniform(0.1, 1.0, 60), rng.uniform(50, 80, 60)) is Verdict.FAILS

    def test_few_networks_with_no_relation_leave_it_open(self) -> None:
        rng = np.random.default_rng(9)
        assert hyperbolic(rng.uniform(0.1, 1.0, 6), rng.uniform(50, 80, 6)) is Verdict.UNTOLD

    def test_a_range_too_short_to_tell_a_line_from_a_hyperbola_leaves_it_open(self) -> None:
        times_s = np.linspace(0.100, 0.103, 14)
        assert hyperbolic(times_s, 55 + 1e4 * (times_s - 0.1) + NOISE) is Verdict.UNTOLD


class TestBound:
    def test_it_holds_where_energy_goes_with_both(self) -> None:
        cells = [cell(name, gross_j=1e-10 * ops) for name, ops in zip(NAMES, OPERATIONS, strict=True)]
        assert judge_bound(cells).verdict is Verdict.HOLDS

    def test_its_uncertainties_take_the_verdict_back(self) -> None:
        cells = [cell(name, gross_j=1e-10 * ops, own_j=1.5) for name, ops in zip(NAMES, OPERATIONS, strict=True)]
        assert judge_bound(cells).verdict is Verdict.UNTOLD

    def test_it_does_not_where_the_cheap_networks_are_the_best(self) -> None:
        cells = [cell(name, gross_j=1e9 / ops) for name, ops in zip(NAMES, OPERATIONS, strict=True)]
        assert judge_bound(cells).verdict is Verdict.FAILS

    def test_it_does_not_where_many_networks_show_no_bound(self) -> None:
        rng = np.random.default_rng(3)
        assert bounded(rng.uniform(1, 10, 60), rng.uniform(50, 80, 60)) is Verdict.FAILS

    def test_few_networks_with_no_bound_leave_it_open(self) -> None:
        rng = np.random.default_rng(5)
        assert bounded(rng.uniform(1, 10, 7), rng.uniform(50, 80, 7)) is Verdict.UNTOLD


class TestOperations:
    @staticmethod
    def found(scatter: float, *, time_u95: float = 0.001) -> Finding:
        times_s = 1e-11 * OPERATIONS * np.exp(scatter * NOISE / NOISE.std(ddof=1))
        return judge_operations(
            [cell(name, image_s=time, time_u95=time_u95) for name, time in zip(NAMES, times_s, strict=True)]
        )

    def test_it_holds_where_time_goes_with_operations(self) -> None:
        assert self.found(0.1).verdict is Verdict.HOLDS

    def test_it_does_not_where_it_scatters_by_factors(self) -> None:
        assert self.found(1.0).verdict is Verdict.FAILS

    def test_a_scatter_at_the_factor_leaves_it_open(self) -> None:
        assert self.found(0.3).verdict is Verdict.UNTOLD

    def test_its_error_bars_take_the_verdict_back(self) -> None:
        assert self.found(0.1, time_u95=0.8).verdict is Verdict.UNTOLD

    def test_it_does_not_where_time_falls(self) -> None:
        assert told_by_operations(OPERATIONS, 1e9 / OPERATIONS) is Verdict.FAILS

    def test_every_batch_size_must_hold(self) -> None:
        cells = [cell(name, image_s=1e-11 * ops) for name, ops in zip(NAMES, OPERATIONS, strict=True)]
        wild = 1e-11 * OPERATIONS * np.exp(1.2 * NOISE)
        cells += [cell(name, batch_size=16, image_s=time) for name, time in zip(NAMES, wild, strict=True)]
        found = judge_operations(cells)
        assert found.verdict is Verdict.FAILS
        assert "Batch 1, 14 networks: holds" in found.evidence


@pytest.mark.parametrize("judge", [judge_power, judge_hyperbola, judge_bound, judge_operations])
def test_four_networks_decide_nothing(judge) -> None:
    found = judge([cell(name) for name in NAMES[:4]])
    assert found.verdict is Verdict.UNTOLD
    assert "at least 5 networks" in found.evidence


def test_a_finding_that_cannot_be_computed_says_why_and_the_others_stand() -> None:
    """All times equal: no line over a rate that does not vary; and the report is written nevertheless."""
    cells = [cell(name, image_s=0.1, gross_j=1e-10 * ops) for name, ops in zip(NAMES, OPERATIONS, strict=True)]
    found = judge_findings(SimpleNamespace(shown=cells, smallest=cells))
    assert [one.claim[0] for one in found] == list("1234")
    assert found[1].verdict is Verdict.UNTOLD
    assert "cannot be computed: a relation needs different values of x" in found[1].evidence
    assert found[2].verdict is Verdict.HOLDS
