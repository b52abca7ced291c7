"""A campaign's sum, and its faults and runs shared out."""

from collections import Counter
from dataclasses import replace
from io import StringIO

from rich.console import Console

from daemon.cli.fault_table import fault_table
from daemon.verify.faults.attacks import ATTACKS, FaultName
from daemon.verify.faults.campaign import PORTION_FAULTS, planned
from daemon.verify.faults.judge import Crime
from daemon.verify.faults.report import report_of
from tests.unit.daemon.verify.planted_evidence import GOOD_RESULT, GOOD_RUN, evidence, seen


def test_every_fault_has_its_attack() -> None:
    assert set(ATTACKS) == set(FaultName)


def test_faults_are_shared_out_evenly_and_drawn_from_the_seed() -> None:
    portions = planned(count=1500, runs=3000, seed=7, kinds=tuple(FaultName))
    counts = Counter(fault for portion in portions for fault in portion.faults)
    assert sum(counts.values()) == 1500
    assert min(counts.values()) >= 100
    assert max(counts.values()) - min(counts.values()) <= 1
    assert sum(portion.runs for portion in portions) == 3000
    assert all(len(portion.faults) <= PORTION_FAULTS for portion in portions)
    assert [portion.index for portion in portions] == list(range(len(portions)))
    assert planned(count=1500, runs=3000, seed=7, kinds=tuple(FaultName)) == portions
    assert planned(count=1500, runs=3000, seed=8, kinds=tuple(FaultName)) != portions


def test_a_report_counts_crimes_and_ends_by_fault() -> None:
    lost = seen("b", fault="disk_full", told=None)
    degraded = replace(GOOD_RUN, results=(replace(GOOD_RESULT, quality="degraded", reasons=("clock_unsure",)),))
    portions = [
        evidence((seen("c"), degraded), portion=1, torn=("x",), notes=("the daemon ended by itself",)),
        evidence((seen("a"), GOOD_RUN), (lost, GOOD_RUN), portion=0),
    ]
    report = report_of(portions)
    assert report.document() == {
        "runs": 3, "faults": 1, "lost": 1, "duplicated": 0, "torn_files": 1, "wrong_valid": 0, "stuck": 0,
        "by_fault": {
            "disk_full": {"count": 1, "ended": {"valid": 1}},
            "none": {"runs": 2, "valid": 1, "ended": {"valid": 1, "degraded: clock_unsure": 1}},
        },
    }  # fmt: skip
    assert report.count(Crime.LOST) == 1
    assert report.notes == ("portion 1: the daemon ended by itself",)
    assert not report.passed


def test_a_campaign_passes_where_nothing_was_found_and_enough_is_valid() -> None:
    good = [(seen(f"r{k}"), GOOD_RUN) for k in range(19)]
    bad = seen("bad", acknowledged=False, told="rejected: bench_busy", told_results=(), records=())
    assert report_of([evidence(*good, (bad, None))]).passed
    assert not report_of([evidence(*good[:18], (bad, None))]).passed
    assert not report_of([evidence(*good, stuck=("no run is taken",))]).passed


def test_a_table_shows_each_fault_and_what_was_found() -> None:
    run = seen("b", fault="disk_full", told=None)
    console = Console(width=120, record=True, file=StringIO())
    console.print(fault_table(report_of([evidence((seen("a"), GOOD_RUN), (run, GOOD_RUN))])))
    text = " ".join(console.export_text().split())
    assert "1 faults over 2 runs: lost 1, duplicated 0, torn files 0, wrong valid 0, stuck 0" in text
    assert [name in text for name in ("disk full", "1 valid", "none: 1 valid")] == [True] * 3
