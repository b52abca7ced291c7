"""`joulebench simulate` as a process: ready file, JSON, signals, refusals."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from instruments.simulated.truth import TruthClient
from instruments.visa_session import VisaSession
from metrology.errors import MetrologyError
from tests.in_process import run_command
from tests.unit.house.documents import blocks

COMMAND = [sys.executable, "-c", "import typer; from daemon.cli.simulate import simulate; typer.run(simulate)"]
LIMIT_S = 30.0

pytestmark = pytest.mark.system


@contextmanager
def served(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen(
        [*COMMAND, "--json", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    guard = threading.Timer(LIMIT_S, process.kill)
    guard.start()
    try:
        assert process.stdout is not None
        document = "".join(iter(process.stdout.readline, "}\n")) + "}"
        yield process, json.loads(document)
    finally:
        process.terminate()
        process.communicate()
        guard.cancel()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_interrupted(tmp_path: Path, number: int) -> None:
    ready = tmp_path / "ready.json"
    with served("--seed", "9", "--time-scale", "20", "--ready-file", str(ready)) as (process, addresses):
        assert json.loads(ready.read_text()) == addresses
        assert addresses["seed"] == 9
        with TruthClient(addresses["truth"]) as truth:
            assert truth.now_s() > 0
        os.kill(process.pid, number)
        assert process.wait(timeout=LIMIT_S) == 0


def test_people_see_the_addresses_as_the_tutorial_shows_them() -> None:
    (block,) = [one for one in blocks("console") if "Serving the simulated bench; Ctrl-C ends it." in one.text]
    with served() as (process, addresses):
        assert process.stderr is not None
        lines = [process.stderr.readline().rstrip("\n") for _ in (*addresses, "the end")]
    assert [line.split()[0] for line in lines[:-1]] == list(addresses)
    assert len({line.index("  ", len(line) - len(line.lstrip())) for line in lines[:-1]}) == 1, "one column"
    shown = block.text.splitlines()[1:]
    assert [line.rpartition("  ")[0] for line in shown] == [line.rpartition("  ")[0] for line in lines]


def test_errors_are_drawn_on_request() -> None:
    with served("--errors", "datasheet", "--seed", "4") as (_, addresses), TruthClient(addresses["truth"]) as truth:
        assert truth.errors()["errors"]["probe_gain"] != 0.0


def test_instruments_are_slow_on_request() -> None:
    with served("--latency", "typical") as (_, addresses):
        _, host, port, _ = addresses["gpib_adapter"].split("::")
        with socket.create_connection((host, int(port)), timeout=LIMIT_S) as adapter, adapter.makefile("rb") as answers:
            start_s = time.monotonic()
            adapter.sendall(b"++addr 5\n++read_tmo_ms 3000\n*IDN?\n++read eoi\n")
            assert b"E3645A" in answers.readline()
            assert time.monotonic() - start_s >= 0.05


@pytest.mark.parametrize(("arguments", "options"), [((), "0"), (("--segmented-memory",), "SGM")])
def test_the_scopes_options_are_those_that_were_fitted(arguments: tuple[str, ...], options: str) -> None:
    with served(*arguments) as (_, addresses):
        session = VisaSession.open(addresses["oscilloscope"], role="oscilloscope")
        assert session.query("*OPT?") == options
        session.close()


def test_a_recording_becomes_the_load(tmp_path: Path) -> None:
    energies_uj = np.full(2000, 10_000.0, dtype="<f4")
    header = b"\xf1" + np.array([1000.0], dtype="<f4").tobytes()
    (tmp_path / "trace1-energy.bin").write_bytes(header + energies_uj.tobytes())
    (tmp_path / "trace1-timestamps.json").write_text("[0.1, 0.5, 1.0, 1.2, 1.5]")
    arguments = ("--replay", str(tmp_path), "--replay-factor", "0.5", "--time-scale", "100")
    with served(*arguments) as (_, addresses), TruthClient(addresses["truth"]) as truth:
        # The replay starts when the bench is served; on a busy machine that is world seconds after world time zero.
        while len(pulses := truth.pulses()) < 2:
            pass
        assert [fall_s - rise_s for rise_s, fall_s in pulses] == pytest.approx([0.5, 0.3])
        # 10 mJ a millisecond, halved: 5 W, less what the leads drop.
        assert truth.energy_j(*pulses[0]) == pytest.approx(0.5 * 5.0, rel=2e-3)


def test_planned_faults_strike_and_others_come_on_demand(tmp_path: Path) -> None:
    plan = tmp_path / "faults.toml"
    plan.write_text(
        '[[fault]]\nkind = "trip_supply"\nat_s = 0.5\n\n[[fault]]\nkind = "no_trigger"\nat_s = 1e6\nevery_s = 1\n'
    )
    arguments = ("--faults", str(plan), "--time-scale", "20")
    with served(*arguments) as (_, addresses), TruthClient(addresses["truth"]) as truth:
        while truth.faults()["struck"] < 1:
            pass
        assert truth.supply_means()["voltage_v"] < 19.0
        planned = truth.faults()["planned"]
        assert [(one["kind"], one["at_s"]) for one in planned] == [("no_trigger", 1e6)], "the trip has struck"
        truth.fault("heal")
        assert truth.supply_means()["voltage_v"] < 19.0, "healing clears no trip"
        truth.wire(front_panel="clear_trip")
        while truth.supply_means()["voltage_v"] < 18.9:
            pass
        truth.fault("swallow_next_answer", "oscilloscope")
        assert [one["kind"] for one in truth.faults()["waiting"]] == ["swallow_next_answer"]
        with pytest.raises(MetrologyError, match="kind must be one of"):
            truth.fault("meteor")
        with pytest.raises(MetrologyError, match="keys must be among"):
            truth.fault("no_trigger", when=1.0)


def test_the_documented_line_asks_the_bench_of_the_ready_file(tmp_path: Path) -> None:
    (command,) = [
        command
        for block in blocks("console")
        if block.path.name == "survive-faults.md"
        for command in block.commands
        if command.startswith("python -c")
    ]
    with served() as (_, addresses):
        (tmp_path / "bench-ready.json").write_text(json.dumps(addresses))
        words = shlex.split(command)
        done = subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{'planned': [], 'waiting': [], 'struck': 0}", done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--time-scale", "0"], "time_scale"),
        (["--memory-points", "5"], "memory_points"),
        (["--errors", "some"], "exact"),
        (["--latency", "much"], "typical"),
        (["--replay", "/no/such/folder"], "/no/such/folder"),
        (["--faults", "/no/such/plan.toml"], "/no/such/plan.toml"),
    ],
)
def test_what_cannot_be_simulated_is_named(
    arguments: list[str], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = run_command(["simulate", *arguments], monkeypatch=monkeypatch, capsys=capsys)
    assert ended.returncode != 0
    assert named in ended.stderr
    assert ended.stdout == ""
