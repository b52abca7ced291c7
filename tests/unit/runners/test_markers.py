"""Marker outputs: the simulated bench's input, a GPIO line, none."""

import errno
from unittest.mock import create_autospec

import gpiod
import pytest
from gpiod.line import Direction, Value

from runners.errors import MarkerError
from runners.markers import GpioMarker, MarkerOutput, NoMarker, PlayingMarker, SimulatedMarker, marker_from_url


class TestSimulated:
    def test_edges_are_sent_one_by_one(self, marker_bench):
        marker = SimulatedMarker(marker_bench.url)
        for level in (True, False, True):
            marker.set(level)
        marker.close()
        marker.close()
        assert marker_bench.lines == ["1", "0", "1", "0"], "closed low"
        assert marker_bench.connections == 1

    def test_pulses_are_played_by_the_world(self, marker_bench):
        marker = SimulatedMarker(marker_bench.url)
        marker.play([(0.05, 0.002), (0.1, 1e-5)])
        marker.close()
        assert marker_bench.lines[0] == "play 0.05 0.002 0.1 1e-05"

    def test_a_play_says_when_it_began(self, marker_bench):
        clock = iter([100, 140])
        marker = SimulatedMarker(marker_bench.url, monotonic_ns=lambda: next(clock))
        began_ns, off_ns = marker.play([(0.05, 0.002)])
        marker.close()
        assert began_ns - off_ns <= 100 < 140 <= began_ns + off_ns, "between asking and being answered"
        assert off_ns <= 21

    @pytest.mark.parametrize(
        ("answers", "word"),
        [
            ({"1": "error no such line\n"}, "set level 1.*no such line"),
            ({"1": ""}, "closed the connection"),
        ],
    )
    def test_an_edge_that_was_not_taken_is_an_error(self, marker_bench, answers, word):
        marker = SimulatedMarker(marker_bench.url)
        marker_bench.answers.update(answers)
        with pytest.raises(MarkerError, match=word) as caught:
            marker.set(True)
        assert caught.value.url == marker_bench.url
        marker.close()

    def test_silence_is_an_error_with_its_seconds(self, marker_bench, monkeypatch):
        monkeypatch.setattr("runners.markers.simulated.ANSWER_TIMEOUT_S", 0.05)
        marker_bench.answers["1"] = None
        marker = SimulatedMarker(marker_bench.url)
        with pytest.raises(MarkerError, match=r"no answer in 0.05 s"):
            marker.set(True)

    def test_after_an_error_it_connects_again(self, marker_bench):
        marker = SimulatedMarker(marker_bench.url)
        marker_bench.answers["1"] = ""
        with pytest.raises(MarkerError):
            marker.set(True)
        marker_bench.answers.clear()
        marker.set(True)
        marker.close()
        assert marker_bench.connections == 2

    def test_a_play_cut_short_is_an_error(self, marker_bench):
        marker_bench.answers["play"] = "ok\ndone 1\n"
        marker = SimulatedMarker(marker_bench.url)
        with pytest.raises(MarkerError, match="answered 'done 1', not 'done 2'"):
            marker.play([(1e-3, 1e-3)] * 2)

    def test_no_bench_there_is_an_error(self):
        with pytest.raises(MarkerError, match="set level 1"):
            SimulatedMarker("tcp://127.0.0.1:1").set(True)


class FakeRequest:
    """A requested line; it answers to what gpiod's own answers to."""

    def __init__(self, levels: list[tuple[int, Value]]) -> None:
        self.levels = levels
        self.released = False
        self.refusal: OSError | None = None

    def set_value(self, line: int, value: Value) -> None:
        assert not self.released
        if self.refusal is not None:
            raise self.refusal
        self.levels.append((line, value))

    def release(self) -> None:
        self.released = True


class TestGpio:
    @pytest.fixture
    def request_lines(self, monkeypatch):
        """gpiod's own function in shape, so that a call it would not take fails here too."""
        requested = create_autospec(gpiod.request_lines, return_value=FakeRequest([]))
        monkeypatch.setattr(gpiod, "request_lines", requested)
        return requested

    def test_the_line_is_an_output_and_low_from_the_start(self, request_lines):
        GpioMarker("gpio:/dev/gpiochip0:17")
        (chip,), options = request_lines.call_args
        settings = options["config"][17]
        assert chip == "/dev/gpiochip0"
        assert (settings.direction, settings.output_value) == (Direction.OUTPUT, Value.INACTIVE)

    def test_levels_reach_the_line_and_it_ends_low(self, request_lines):
        request = request_lines.return_value
        marker = GpioMarker("gpio:/dev/gpiochip0:17")
        marker.set(True)
        marker.close()
        marker.close()
        assert request.levels == [(17, Value.ACTIVE), (17, Value.INACTIVE)]
        assert request.released
        with pytest.raises(MarkerError, match="closed"):
            marker.set(True)

    def test_a_line_that_has_gone_away_is_an_error_and_is_given_back(self, request_lines):
        request = request_lines.return_value
        marker = GpioMarker("gpio:/dev/gpiochip0:17")
        request.refusal = OSError(errno.ENODEV, "No such device")
        with pytest.raises(MarkerError, match=r"gpiochip0:17: cannot set level 1: .*No such device"):
            marker.set(True)
        marker.close()
        assert request.released

    def test_a_device_that_is_not_there_is_an_error(self):
        with pytest.raises(MarkerError, match=r"gpio:/dev/no-such-chip:17: cannot open the line: .*this machine has"):
            GpioMarker("gpio:/dev/no-such-chip:17")

    def test_a_machine_without_gpio_is_told_so(self, monkeypatch):
        monkeypatch.setattr("runners.markers.gpio.Path.glob", lambda *_: iter(()))
        with pytest.raises(MarkerError, match=r"/dev/gpiochip0: No such file.*has no GPIO device.*sysfs:NUMBER"):
            GpioMarker("gpio:/dev/gpiochip0:17")

    @pytest.mark.parametrize(
        ("refused", "word"),
        [
            (OSError(errno.EBUSY, "Device or resource busy"), "gpioinfo` shows who has the line"),
            (ValueError("requested line 99 out of range"), "99 out of range; `gpioinfo`"),
        ],
    )
    def test_a_line_that_cannot_be_had_is_an_error_with_its_remedy(self, request_lines, refused, word):
        request_lines.side_effect = refused
        with pytest.raises(MarkerError, match=word):
            GpioMarker("gpio:/dev/gpiochip0:17")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gpio:17",
        "gpio:/dev/gpiochip0",
        "tcp://host",
        "tcp://host:0",
        "tcp://host:99999",
        "usb:1",
        "tcp://:1",
        "sysfs:",
        "sysfs:x",
        "sysfs:-1",
        "serial:",
        "serial:/dev/ttyS0",
        "serial:/dev/ttyS0:cts",
        "serial:ttyS0:rts",
    ],
)
def test_an_address_that_names_no_marker_is_refused(url):
    with pytest.raises(MarkerError, match="want"):
        marker_from_url(url)


def test_only_the_simulated_marker_plays(marker_bench):
    simulated, none = marker_from_url(marker_bench.url), marker_from_url("none")
    assert isinstance(simulated, PlayingMarker)
    assert not isinstance(none, PlayingMarker)
    assert (simulated.wired, none.wired) == (True, False)


def test_no_marker_takes_everything():
    marker: MarkerOutput = NoMarker()
    marker.set(True)
    marker.close()
    assert marker.url == "none"
