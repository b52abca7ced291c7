"""What a person's hands change on the simulated bench."""

import json
from typing import Any

import numpy as np
import pytest

from instruments.simulated.rewiring import rewire
from instruments.simulated.switched_load import SHORT_OHM
from instruments.simulated.truth_channel import TruthChannel
from metrology.errors import MetrologyError
from tests.unit.simulated.hand_clock import HandBench


def line_current_a(bench: HandBench) -> float:
    return float(bench.ask_supply("MEASure:CURRent?"))


def mean_indicated_a(bench: HandBench) -> float:
    """Mean of a forced record, by the preamble's own scale."""
    bench.write(":SINGle")
    bench.wait(0.25)
    bench.write(":TRIGger:FORCe")
    bench.wait(2.5, steps=5)
    bench.write(":WAVeform:SOURce CHANnel1")
    fields = [float(text) for text in bench.ask(":WAVeform:PREamble?").split(",")]
    block = bench.ask_bytes(":WAVeform:DATA?")
    digits = int(block[1:2])
    codes = np.frombuffer(block[2 + digits :], "<u2").astype(float)
    return float(np.mean((codes - fields[9]) * fields[7] + fields[8]))


def test_nothing_at_the_end_of_the_leads_draws_nothing() -> None:
    bench = HandBench()
    rewire(bench.world, {"load": "open"})
    bench.wait(1.0)
    assert line_current_a(bench) == pytest.approx(0.0, abs=1e-9)
    assert bench.ask_supply("STATus:QUEStionable:CONDition?") == "+2"


def test_a_short_draws_the_limit_at_the_voltage_that_the_leads_need() -> None:
    bench = HandBench()
    bench.set_supply("OUTPut 0", "VOLTage 1", "CURRent 0.5")
    rewire(bench.world, {"load": "short"})
    bench.set_supply("OUTPut 1")
    bench.wait(2.0)
    assert line_current_a(bench) == pytest.approx(0.5, rel=1e-6)
    assert float(bench.ask_supply("MEASure:VOLTage?")) == pytest.approx(0.5 * (0.05 + SHORT_OHM), rel=1e-6)
    assert bench.ask_supply("STATus:QUEStionable:CONDition?") == "+1"


def test_a_resistor_follows_ohm() -> None:
    bench = HandBench()
    rewire(bench.world, {"load": {"resistor_ohm": 19.0}})
    bench.wait(2.0)
    assert line_current_a(bench) == pytest.approx(19.0 / 19.05, rel=1e-6)


def test_the_board_comes_back_as_it_was() -> None:
    bench = HandBench()
    rewire(bench.world, {"load": "open"})
    bench.wait(1.0)
    rewire(bench.world, {"load": "board"})
    bench.wait(1.0)
    assert line_current_a(bench) == pytest.approx(0.15, abs=1e-3)


@pytest.mark.parametrize(
    ("request_", "indicated_a"),
    [
        ({}, 0.150),
        ({"jaw": "open"}, 0.0),
        ({"turns": 2}, 0.300),
        ({"zero_shift_a": 0.004}, 0.154),
        ({"range_v_per_a": 0.01}, 0.015),
        ({"battery": "empty"}, 0.0),
    ],
)
def test_what_the_probe_sees(request_: dict[str, Any], indicated_a: float) -> None:
    bench = HandBench()
    bench.prepare()
    rewire(bench.world, request_)
    assert mean_indicated_a(bench) == pytest.approx(indicated_a, abs=0.001)


def test_a_trip_is_cleared_at_the_front_panel_and_not_by_healing() -> None:
    bench = HandBench()
    bench.world.change_supply(tripped=True)
    bench.faults.inject("heal")
    bench.wait(1.0)
    assert bench.ask_supply("VOLTage:PROTection:TRIPped?") == "1"
    rewire(bench.world, {"front_panel": "clear_trip"})
    bench.wait(1.0)
    assert bench.ask_supply("VOLTage:PROTection:TRIPped?") == "0"
    assert line_current_a(bench) == pytest.approx(0.15, abs=1e-3), "the output was on, and is again"


def test_a_trip_whose_cause_is_still_there_comes_again() -> None:
    bench = HandBench()
    bench.set_supply("VOLTage:PROTection 18")
    bench.wait(1.0)
    rewire(bench.world, {"front_panel": "clear_trip"})
    bench.wait(1.0)
    assert bench.ask_supply("VOLTage:PROTection:TRIPped?") == "1"


def test_the_tap_moves_to_the_board() -> None:
    bench = HandBench()
    rewire(bench.world, {"load": {"resistor_ohm": 19.0}})
    bench.wait(2.0)
    at_supply_v = bench.world.part(1.0, 1.9).tap_v(np.array([1.5]))[0]
    rewire(bench.world, {"tap": "board"})
    at_board_v = bench.world.part(1.0, 1.9).tap_v(np.array([1.5]))[0]
    assert at_supply_v - at_board_v == pytest.approx(0.05 * 19.0 / 19.05, rel=1e-6)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"load": "fridge"}, "load must be one of"),
        ({"load": {"resistor_ohm": 0}}, "load must be one of"),
        ({"jaw": "ajar"}, "jaw must be one of"),
        ({"turns": 0}, "turns must be at least 1"),
        ({"turns": 1.5}, "turns must be a whole number"),
        ({"turns": True}, "turns must be a finite number"),
        ({"range_v_per_a": 0.5}, "range_v_per_a must be one of"),
        ({"turns": 10**400}, "turns must be a finite number"),
        ({"zero_shift_a": float("inf")}, "zero_shift_a must be a finite number"),
        ({"jaw": ["closed"]}, "jaw must be one of"),
        ({"load": {"resistor_ohm": 10**400}}, "resistor_ohm must be a finite number"),
        ({"front_panel": "kick"}, "front_panel must be one of"),
        ({"colour": "red"}, "got .'colour'."),
    ],
)
def test_wiring_that_cannot_be(request_: dict[str, Any], text: str) -> None:
    bench = HandBench()
    with pytest.raises(MetrologyError, match=text):
        rewire(bench.world, request_)


class _Channel(TruthChannel):
    def __init__(self, bench: HandBench) -> None:
        super().__init__(bench.world, bench.truth, bench.faults)
        self.answers: list[dict[str, Any]] = []

    def send(self, data: bytes) -> None:
        self.answers.append(json.loads(data))

    def ask(self, **request: Any) -> dict[str, Any]:
        self.handle(json.dumps(request).encode())
        return self.answers[-1]


def test_the_side_channel_rewires_and_plays() -> None:
    bench = HandBench()
    channel = _Channel(bench)
    assert channel.ask(op="wire", load="open") == {"ok": True}
    assert "load must be" in channel.ask(op="wire", load="fridge")["error"]
    assert channel.ask(op="play", pulses=[[0.1, 0.2], [0.1, 0.2]])["end_s"] == pytest.approx(0.6, abs=1e-3)
    assert "pulses must be a list" in channel.ask(op="play", pulses=[])["error"]
    assert "a pulse must be" in channel.ask(op="play", pulses=[[1]])["error"]
    assert "each duration" in channel.ask(op="play", pulses=[[0.0, 1.0]])["error"]


@pytest.mark.parametrize("since", ["NaN", "1e999", "-1e999", "1" * 400, "true", "[]"])
def test_the_side_channel_takes_no_time_that_cannot_be(since: str) -> None:
    channel = _Channel(HandBench())
    for operation, key in (("acquisitions", "since"), ("pulses", "since_s"), ("energy", "start_s")):
        channel.handle(f'{{"op": "{operation}", "{key}": {since}, "end_s": 0}}'.encode())
        assert f"{key} must be a finite number" in channel.answers[-1]["error"]


@pytest.mark.parametrize("line", [b"[" * 100_000, b"9" * 5000, b"\xff", b"{"])
def test_the_side_channel_answers_what_is_no_json(line: bytes) -> None:
    channel = _Channel(HandBench())
    channel.handle(line)
    assert "the request is no JSON" in channel.answers[-1]["error"] or "`op` must be" in channel.answers[-1]["error"]
