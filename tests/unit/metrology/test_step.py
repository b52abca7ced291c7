"""Step detection on made-up sessions: windows are found to a bin, and what may be something else is unsure."""

import numpy as np
import pytest

from metrology.errors import MetrologyError
from metrology.step import find_step_windows
from tests.unit.metrology.step_session import COURSE, Session, confident_count, record_of, session, wrong

BIN_S = 1e-3


def reasons(made: Session) -> list[str]:
    """Return the reasons of a session in which nothing may be confident."""
    found = find_step_windows(made.record())
    assert confident_count(found) == 0
    return [one.reason or "" for one in found]


@pytest.mark.parametrize("scale", [1.0, 1e-2, 100.0, -0.3], ids=["as it is", "small", "large", "inverted"])
def test_each_window_is_found_to_a_bin(scale: float) -> None:
    made = session()
    found = find_step_windows(made.record(scale=scale))
    assert confident_count(found) == len(found) == 4
    assert not wrong(found, made.windows, limit_s=BIN_S)
    assert all(one.edge_uncertainty_s is not None and one.edge_uncertainty_s <= 5e-3 for one in found)


@pytest.mark.parametrize(("repeat", "join"), [(2, 1), (1, 2), (5, 1)], ids=["2 kHz", "500 Hz", "5 kHz"])
def test_at_other_rates(repeat: int, join: int) -> None:
    made = session(3)
    activity = np.repeat(made.activity, repeat)
    activity = activity[: activity.size // join * join].reshape(-1, join).mean(axis=1)
    found = find_step_windows(record_of(activity, rate_hz=1000.0 * repeat / join))
    assert confident_count(found) == 3
    assert not wrong(found, made.windows, limit_s=2 * BIN_S)


def test_edges_between_bins_are_shared_out() -> None:
    made = session(3)
    shifted = 0.7 * made.activity[:-1] + 0.3 * made.activity[1:]
    found = find_step_windows(record_of(shifted))
    assert confident_count(found) == 3
    assert not wrong(found, [(start_s - 0.3e-3, end_s - 0.3e-3) for start_s, end_s in made.windows], limit_s=0.2e-3)


@pytest.mark.parametrize("noise", [0.01, 0.04])
def test_some_noise_is_borne(noise: float) -> None:
    made = session()
    found = find_step_windows(made.record(noise=noise))
    assert confident_count(found) == 4
    assert not wrong(found, made.windows)


@pytest.mark.parametrize("noise", [0.15, 0.5])
def test_much_noise_leaves_nothing_confident(noise: float) -> None:
    assert confident_count(find_step_windows(session().record(noise=noise))) == 0


def test_a_look_alike_without_warm_up_is_unsure_and_the_windows_are_not() -> None:
    made = session(2).load().idle(0.1).stretch(260).idle(0.1).load().window().load().window().idle(0.3)
    found = find_step_windows(made.record())
    assert len(found) == 5
    assert confident_count(found) == 4
    assert not wrong(found, made.windows)


def test_without_warm_ups_nothing_is_confident() -> None:
    made = Session().idle(0.2)
    for _ in range(4):
        made.load().window(warm_up=None)
    assert set(reasons(made)) & {"no warm-up lies before it"} or all("earlier" in one for one in reasons(made))


def test_a_warm_up_that_is_not_like_the_window() -> None:
    made = Session().idle(0.2)
    for _ in range(4):
        made.load().window(warm_up=np.linspace(0.3, 0.8, 21))
    assert any("not like its first inference" in one for one in reasons(made))


@pytest.mark.parametrize("pause_s", [0.018, 0.060])
def test_a_pause_that_no_writing_makes(pause_s: float) -> None:
    made = Session().idle(0.2)
    for _ in range(4):
        made.load().window(pause_s=pause_s)
    assert any("no warm-up's place" in one for one in reasons(made))


def test_a_pause_unlike_the_others_makes_its_window_unsure() -> None:
    made = Session().idle(0.2)
    for pause_s in (0.036, 0.036, 0.045, 0.036, 0.036):
        made.load().window(pause_s=pause_s)
    found = find_step_windows(made.record())
    assert [one.confident for one in found] == [True, True, False, True, True]
    assert found[2].reason == "its pause is not as long as the others'"
    assert not wrong(found, made.windows)


def test_pauses_that_all_differ_are_no_text() -> None:
    made = Session().idle(0.2)
    for pause_s in (0.027, 0.031, 0.036, 0.041, 0.047):
        made.load().window(pause_s=pause_s)
    assert all(reasons(made))


def test_an_end_that_comes_late_is_seen_by_the_length() -> None:
    made = session()
    activity = made.activity
    late = round(made.windows[1][1] * 1000)
    activity[late : late + 9] = 1.0
    found = find_step_windows(record_of(activity))
    assert [one.confident for one in found] == [True, False, True, True]
    assert found[1].reason == "it is not as long as the others"


def test_windows_of_differing_lengths_are_no_family() -> None:
    made = Session().idle(0.2)
    for inferences in (260, 275, 290, 310):
        made.load().window(inferences)
    assert confident_count(find_step_windows(made.idle(0.3).record())) == 0


def test_two_windows_are_too_few() -> None:
    assert reasons(session(2)) == ["only 2 of 2 windows alike are sound"] * 2


def test_edges_that_are_too_slow() -> None:
    made = session()
    slow = np.convolve(made.activity, np.ones(12) / 12, "same")
    found = find_step_windows(record_of(slow))
    assert confident_count(found) == 0
    assert any("too slowly" in (one.reason or "") for one in found)


def test_what_the_record_cuts_is_left_out() -> None:
    made = session(5)
    first, last = round((made.windows[0][0] + 2) * 1000), round((made.windows[4][1] - 2) * 1000)
    found = find_step_windows(record_of(made.activity[first:last]))
    assert confident_count(found) == 3
    assert not wrong(found, [(start_s - first / 1000, end_s - first / 1000) for start_s, end_s in made.windows[1:4]])


def test_backwards_nothing_is_confident() -> None:
    made = session()
    found = find_step_windows(record_of(made.activity[::-1].copy()))
    assert confident_count(found) == 0


def test_a_dip_as_short_as_an_edge_may_be_off_belongs_to_the_window() -> None:
    made = session(3)
    activity = made.activity
    middle = round((made.windows[1][0] + 2) * 1000)
    activity[middle : middle + 3] = 0.0
    found = find_step_windows(record_of(activity))
    assert confident_count(found) == 3
    assert not wrong(found, made.windows)


def test_a_short_burst_is_no_warm_up_of_what_changes_slowly() -> None:
    """Loading that goes on for seconds, with a burst before it where a warm-up might be."""
    slow = np.concatenate([np.full(60, 1.0), np.full(40, 0.7)])
    made = Session().idle(0.3)
    for _ in range(4):
        made.idle(0.3).parts.append(np.array([0.9, 0.9]))
        made.idle(0.036).parts.append(np.tile(slow, 55))
    found = find_step_windows(made.idle(0.5).record())
    assert found
    assert confident_count(found) == 0
    assert any("slower than inferences" in (one.reason or "") for one in found)


def test_a_warm_up_of_a_single_bin_is_one_where_the_window_is_even() -> None:
    made = Session().idle(0.2)
    for _ in range(4):
        made.load().idle(0.1).parts.append(np.array([0.8]))
        made.idle(0.036)
        start_s = made.now_s
        made.parts.append(np.ones(5500))
        made.windows.append((start_s, made.now_s))
        made.idle(0.1)
    found = find_step_windows(made.idle(0.3).record(noise=0.003))
    assert confident_count(found) == 4
    assert not wrong(found, made.windows, limit_s=BIN_S)


@pytest.mark.parametrize("activity", [np.zeros(20_000), np.ones(3), np.tile(COURSE, 900)], ids=["flat", "3", "load"])
def test_where_there_is_nothing_nothing_is_found(activity: np.ndarray) -> None:
    assert find_step_windows(record_of(activity)) == ()


def test_noise_alone_holds_nothing_confident(rng: np.random.Generator) -> None:
    assert confident_count(find_step_windows(record_of(rng.normal(size=20_000)))) == 0


def test_a_record_that_is_too_short() -> None:
    with pytest.raises(MetrologyError, match=r"three bins of 0\.001 s or more, got a record of 0\.002 s"):
        find_step_windows(record_of(np.zeros(2)))
