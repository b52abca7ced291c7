"""The scripted workload: declared batches, played by the bench."""

import pytest

from runners.errors import Unsupported, WorkloadError
from runners.markers import NoMarker, SimulatedMarker
from runners.scripted_workload import MOST_PULSES, Script, ScriptedWorkload, scripted_factory
from tests.unit.runners.stub_workload import order


@pytest.fixture
def marker(marker_bench):
    marker = SimulatedMarker(marker_bench.url)
    yield marker
    marker.close()


def scripted(text: str, batch_size: int = 4) -> ScriptedWorkload:
    return ScriptedWorkload(Script.parse(text), network="resnet18", batch_size=batch_size)


def test_it_plays_what_is_declared_and_reports_it_so(marker, marker_bench):
    report = scripted("0.05,0.002,3").run(marker, lambda: False, None)
    assert marker_bench.lines == ["play 0.05 0.002 0.05 0.002 0.05 0.002"]
    assert (report.images, report.batches) == (12, 3)
    assert report.batch_durations_ns == (50_000_000,) * 3
    assert report.finished_monotonic_ns - report.started_monotonic_ns == 154_000_000
    assert [at - report.started_monotonic_ns for at in report.batch_starts_ns] == [0, 52_000_000, 104_000_000]


def test_the_image_limit_ends_it_sooner(marker):
    assert scripted("0.05,0.002,30").run(marker, lambda: False, 6).batches == 2
    assert scripted("0.05,0.002").run(marker, lambda: False, 6).batches == 2


def test_without_a_count_it_plays_on_until_told(marker, marker_bench):
    report = scripted("0.05,0.05").run(marker, lambda: len(marker_bench.lines) == 3, None)
    assert report.batches == 6
    assert marker_bench.lines == ["play 0.05 0.05 0.05 0.05"] * 3


def test_a_world_faster_than_the_boards_clock_leaves_no_batch_starts(marker, marker_bench):
    """The bench of this test plays two batches in no time, so the second pair would begin before the first is over."""
    report = scripted("0.05,0.05").run(marker, lambda: len(marker_bench.lines) == 2, None)
    assert report.batches == 4
    assert report.batch_starts_ns == ()


def test_a_long_script_is_played_in_parts(marker, marker_bench):
    report = scripted(f"1e-3,1e-3,{MOST_PULSES + 1}").run(marker, lambda: False, None)
    assert report.batches == MOST_PULSES + 1
    assert [(len(line.split()) - 1) // 2 for line in marker_bench.lines] == [MOST_PULSES, 1]


def test_told_to_stop_before_it_began_it_plays_nothing(marker):
    report = scripted("0.05,0.002,3").run(marker, lambda: True, None)
    assert (report.batches, report.finished_monotonic_ns) == (0, report.started_monotonic_ns)


def test_a_marker_that_cannot_play_is_refused():
    with pytest.raises(WorkloadError, match="marker none cannot play"):
        scripted("0.05,0.002,3").run(NoMarker(), lambda: False, None)


@pytest.mark.parametrize("text", ["", "1", "1,2,3,4", "a,b", "1,2,3.5", "0,1,1", "1,-1,1", "nan,1,1", "1,1,0"])
def test_a_script_that_is_none_is_refused(text):
    with pytest.raises(WorkloadError, match="script"):
        Script.parse(text)


def test_the_factory_takes_any_networks_name():
    workload = scripted_factory(Script.parse("0.05,0.002,3"))(order())
    assert workload.prepare().network == "resnet18"
    workload.release()


def test_a_back_end_is_not_played():
    """A campaign would take the cell of that back end for done."""
    factory = scripted_factory(Script.parse("0.05,0.002,3"))
    with pytest.raises(Unsupported, match="'onnx-cpu' is none of script"):
        factory(order(backend="onnx-cpu"))
    assert factory(order(backend="script")).prepare().backend == "script"
