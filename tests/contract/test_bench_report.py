"""The bench report on the simulated bench: made, complete, harmless, and the checklist tells of each trial."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daemon.bench_lock import BenchLock
from daemon.bench_report import make_trials
from daemon.cli.main import app
from daemon.configuration import load_configuration
from daemon.configuration_draft import draft
from daemon.errors import BenchInUse
from instruments.errors import ConnectionFailed
from instruments.serial_line import SerialLine, SerialParity
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from instruments.transcripts.line import Event
from instruments.transcripts.transcript_file import read_transcript
from instruments.visa_session import VisaSession
from tests.unit.house.test_documents import refusal

BOARD = 28


@pytest.fixture(scope="module")
def world() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=20.0), board_number=BOARD) as world:
        yield world


@pytest.fixture(scope="module")
def made(world: SimulatedBenchThread, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """A report and its transcript, in a folder."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "bench.toml").write_text(draft([]))
    arguments = ("--bench-report", str(folder / "report.json"), "--record", str(folder / "report.jsonl"))
    environment = {
        "JOULEBENCH_MQTT__PORT": "1",
        "JOULEBENCH_OSCILLOSCOPE__RESOURCE": world.addresses.oscilloscope,
        "JOULEBENCH_OSCILLOSCOPE__TIMEOUT_S": "0.5",
        "JOULEBENCH_POWER_SUPPLY__RESOURCE": world.addresses.power_supply,
        "JOULEBENCH_POWER_SUPPLY__GPIB_ADAPTER": world.addresses.gpib_adapter,
        "JOULEBENCH_POWER_SUPPLY__MAX_VOLTAGE_V": "20",
        "JOULEBENCH_POWER_SUPPLY__MAX_CURRENT_A": "2.2",
        "JOULEBENCH_POWER_SUPPLY__TIMEOUT_S": "0.5",
    }
    command = ["check", "--config", str(folder / "bench.toml"), "--json", *arguments]
    return CliRunner().invoke(app, command, env=environment), folder


@pytest.fixture(scope="module")
def report(made: tuple[Result, Path]) -> dict[str, Any]:
    return dict(json.loads((made[1] / "report.json").read_text()))


def trial(report: dict[str, Any], number: str) -> dict[str, Any]:
    (found,) = [one for one in report["trials"] if one["number"] == number]
    return dict(found)


def test_what_is_known_is_as_expected(report: dict[str, Any]) -> None:
    differing = [one for one in report["trials"] if one["verdict"] == "differs"]
    assert not differing
    # The simulated oscilloscope may not know how to save its set-up; everything else it does.
    assert {one["number"] for one in report["trials"] if one["verdict"] == "failed"} <= {"S5", "S19"}
    assert sum(report["verdicts"].values()) == len(report["trials"])


def test_it_holds_identities_clamps_timings_and_versions(report: dict[str, Any]) -> None:
    assert "MSO-X 2024A" in trial(report, "S1")["found"]
    assert trial(report, "S4")["found"]["median_s"] > 0
    assert trial(report, "S6")["found"][":TIMebase:RANGe"] == "+2.00000000E+000"
    assert trial(report, "S7")["found"] == 40
    record = trial(report, "S9")["found"]
    assert record["points"] == 100_000
    assert record["mean_a"] == pytest.approx(0.15, abs=0.02)
    assert float(trial(report, "S10")["found"]["read_back"]) < 1e6, "the clamp that was found"
    highest = trial(report, "S14")["found"]
    assert (highest["taken"], highest["sent"]) == ("10000", "20000"), "refused far out of range, and still found"
    assert highest["errors"].startswith("-222")
    assert trial(report, "S15")["found"]["taken"] == "0.001"
    assert trial(report, "S12")["found"]["taken"] == "8"
    assert "E3645A" in trial(report, "P1")["found"]
    assert report["software"]["pyvisa-py"]
    assert report["resources"]["power_supply"] == f"GPIB{BOARD}::5::INSTR"
    assert {one["part"] for one in report["checks"]} >= {"oscilloscope", "supply envelope", "broker"}


def test_standard_output_stays_the_checks_own(made: tuple[Result, Path]) -> None:
    done, folder = made
    assert set(json.loads(done.stdout)) == {"ok", "checks"}
    assert f"written: {folder / 'report.json'}: " in done.stderr


def test_the_supply_is_only_asked(made: tuple[Result, Path]) -> None:
    lines = read_transcript(made[1] / "report.jsonl")
    sent = [line.data.decode() for line in lines if line.role == "power_supply" and line.event is Event.WRITE]
    assert sent
    assert not [message for message in sent if "?" not in message]


def test_the_checklist_tells_of_each_trial_and_of_no_other(report: dict[str, Any], repository: Path) -> None:
    text = (repository / "docs" / "hardware-checklist.md").read_text()
    told = {number for row in re.findall(r"^\| ([SP][\dSP, ]+) \|", text, re.MULTILINE) for number in row.split(", ")}
    assert told == {one["number"] for one in report["trials"]}


def test_a_supply_on_a_serial_line_is_tried_as_its_line_is_set(tmp_path: Path) -> None:
    lines = []

    class NoWay:
        def connect(self, stack: object, resource: str, *, role: str, line: object = None, **_: object) -> VisaSession:
            lines.append((role, line))
            raise ConnectionFailed("not there", instrument=role)

    config = tmp_path / "bench.toml"
    config.write_text(re.sub(r'(?m)^(# )?parity = "none"', 'parity = "even"', draft([])))
    make_trials(load_configuration(config), connector=NoWay(), tell=lambda _: None)
    assert lines == [("oscilloscope", None), ("power_supply", SerialLine(parity=SerialParity.EVEN))]


def test_what_nothing_rests_on_can_be_asked(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run each `ask(...)` of the checklist that needs no hand and no option, as its reader would."""
    text = (repository / "docs" / "hardware-checklist.md").read_text()
    (code,) = re.findall(r"^<!-- test: ask -->\n```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    rows = dict(re.findall(r"^\| (N\d+) \|.*?`(ask\(.*?\))` \|", text, re.MULTILINE))
    assert set(rows) == {"N1", "N2", "N3", "N4", "N5", "N6", "N7", "N11"}
    names: dict[str, Any] = {}
    exec(compile(code.replace("timeout_s=5.0", "timeout_s=0.5"), "hardware-checklist.md", "exec"), names)
    with SimulatedBenchThread(WorldSettings(time_scale=20.0), board_number=BOARD + 2) as world:
        at = world.addresses
        names |= {"SCOPE": at.oscilloscope, "SUPPLY": at.power_supply, "ADAPTER": at.gpib_adapter}
        names["SERIAL"] = at.power_supply_serial
        printed = {}
        earlier = 'ask(SCOPE, ":NONSense 1")'  # whose error must not be taken for an answer to what follows
        for number in ("N1", "N2", "N3", "N4", "N5", "N7", "N11"):
            exec(earlier, names)
            exec(rows[number], names)
            printed[number] = capsys.readouterr().out
        exec('ask(SCOPE, ":ACQuire:MODE?")', names)
        printed["N7 after"] = capsys.readouterr().out
    assert re.findall(r":POD1:THReshold\? (\S+)", printed["N1"]) == ["-8.00000000E+000"] * 2
    assert ":SYSTem:ERRor? -222" in printed["N1"]
    assert ":SYSTem:ERRor? -224" in printed["N2"]
    assert ":SYSTem:ERRor? -109" in printed["N2"]
    assert "no answer within" in printed["N7"], "the option is not fitted"
    assert ":ACQuire:MODE? RTIM" in printed["N7 after"]
    assert '514,"Command allowed only with RS-232"' in printed["N3"]
    assert '550,"Command not allowed in local"' in printed["N11"]
    assert "-222" in printed["N4"]
    assert [float(line.split()[-1]) for line in printed["N5"].splitlines()] == [0, 0, 2.2, 66, 1]


def test_each_command_of_the_checklists_tables_exists(repository: Path) -> None:
    text = (repository / "docs" / "hardware-checklist.md").read_text()
    commands = re.findall(r"`(joulebench [^`]+)`", text)
    assert len(commands) > 20
    assert not [problem for command in commands if (problem := refusal(shlex.split(command)[1:]))]


def test_a_bench_that_a_daemon_holds_is_left_alone(tmp_path: Path) -> None:
    config, path = tmp_path / "bench.toml", tmp_path / "report.json"
    config.write_text(draft([]))
    command = ["check", "--config", str(config), "--bench-report", str(path)]
    environment = {
        "JOULEBENCH_MQTT__PORT": "1",
        "JOULEBENCH_OSCILLOSCOPE__RESOURCE": "TCPIP0::127.0.0.1::1::SOCKET",
        "JOULEBENCH_POWER_SUPPLY__GPIB_ADAPTER": f"PRLGX-TCPIP{BOARD + 1}::127.0.0.1::1::INTFC",
    }
    with BenchLock(load_configuration(config)).held("joulebench daemon"):
        done = CliRunner().invoke(app, command, env=environment)
    assert isinstance(done.exception, BenchInUse)
    assert not path.exists()


def test_a_bench_that_is_not_there_makes_a_report_too(tmp_path: Path) -> None:
    config = tmp_path / "bench.toml"
    config.write_text(draft([]))
    environment = {
        "JOULEBENCH_MQTT__PORT": "1",
        "JOULEBENCH_OSCILLOSCOPE__RESOURCE": "TCPIP0::127.0.0.1::1::SOCKET",
        "JOULEBENCH_POWER_SUPPLY__GPIB_ADAPTER": f"PRLGX-TCPIP{BOARD + 1}::127.0.0.1::1::INTFC",
    }
    path = tmp_path / "report.json"
    done = CliRunner().invoke(app, ["check", "--config", str(config), "--bench-report", str(path)], env=environment)
    assert done.exit_code == 1
    trials = json.loads(path.read_text())["trials"]
    assert [(one["number"], one["verdict"]) for one in trials] == [("S0", "failed"), ("P0", "failed")]
    assert "Connection refused" in trials[0]["found"]
    again = CliRunner().invoke(app, ["check", "--config", str(config), "--bench-report", str(path)], env=environment)
    assert again.exit_code == 2
    assert "exists already" in again.stderr
