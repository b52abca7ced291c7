"""`joulebench check` on the simulated bench: what is wrong is found, and what to do about it is said."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from daemon.cli.main import app
from daemon.configuration_draft import draft
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.faults import FaultKind, Role
from instruments.simulated.world import WorldSettings
from instruments.transcripts.line import Event
from instruments.transcripts.replay import Replay
from instruments.transcripts.transcript_file import read_transcript, read_whole_transcript
from tests.unit.house.documents import names_defined

BOARD = 25
NO_BROKER = {"JOULEBENCH_MQTT__PORT": "1"}


@pytest.fixture(scope="module")
def shared_world() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=20.0), board_number=BOARD) as world:
        yield world


@pytest.fixture
def world(shared_world) -> Iterator[SimulatedBenchThread]:
    yield shared_world
    shared_world.faults.inject(FaultKind.HEAL)


@pytest.fixture
def environment(world: SimulatedBenchThread) -> dict[str, str]:
    addresses = world.addresses
    return NO_BROKER | {
        "JOULEBENCH_OSCILLOSCOPE__RESOURCE": addresses.oscilloscope,
        "JOULEBENCH_OSCILLOSCOPE__TIMEOUT_S": "0.3",
        "JOULEBENCH_POWER_SUPPLY__RESOURCE": addresses.power_supply,
        "JOULEBENCH_POWER_SUPPLY__GPIB_ADAPTER": addresses.gpib_adapter,
        "JOULEBENCH_POWER_SUPPLY__MAX_VOLTAGE_V": "20",
        "JOULEBENCH_POWER_SUPPLY__MAX_CURRENT_A": "2.2",
        "JOULEBENCH_POWER_SUPPLY__TIMEOUT_S": "0.3",
    }


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(draft([]))
    return path


def check(config: Path, environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", "--config", str(config), *arguments], env={"COLUMNS": "200"} | environment)


def findings(config: Path, environment: dict[str, str]) -> dict[str, dict[str, Any]]:
    done = check(config, environment, "--json")
    assert done.exit_code == 1, done.output
    return {one["part"]: one for one in json.loads(done.stdout)["checks"]}


def test_a_bench_without_its_broker(config: Path, environment: dict[str, str]) -> None:
    found = findings(config, environment)
    assert [part for part, one in found.items() if not one["ok"]] == ["broker"]
    assert "nothing listens at its port 1" in found["broker"]["remedy"]
    assert found["supply envelope"]["text"] == "set 19 V, 2.2 A; envelope 20 V, 2.2 A"
    assert all(one["remedy"] == "" for one in found.values() if one["ok"])


def test_every_remedy_is_in_the_table(config: Path, environment: dict[str, str]) -> None:
    done = check(config, environment)
    assert done.exit_code == 1
    assert "-> 127.0.0.1 is there, but nothing listens at its port 1" in done.stdout


def test_an_oscilloscope_that_is_not_there_does_not_hide_the_supply(config: Path, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment["JOULEBENCH_OSCILLOSCOPE__RESOURCE"] = f"TCPIP0::127.0.0.1::{port}::SOCKET"
    found = findings(config, environment)
    assert not found["oscilloscope"]["ok"]
    assert f"nothing listens at its port {port}" in found["oscilloscope"]["remedy"]
    assert found["power_supply"]["ok"]


def test_what_listens_and_never_answers(config: Path, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        environment["JOULEBENCH_OSCILLOSCOPE__RESOURCE"] = f"TCPIP0::127.0.0.1::{mute.getsockname()[1]}::SOCKET"
        found = findings(config, environment)
    assert "no answer within 0.3 s" in found["oscilloscope"]["text"]
    assert "takes connections and does not answer" in found["oscilloscope"]["remedy"]


def test_an_adapter_with_a_silent_supply(config: Path, environment: dict[str, str]) -> None:
    environment["JOULEBENCH_POWER_SUPPLY__RESOURCE"] = f"GPIB{BOARD}::9::INSTR"
    found = findings(config, environment)
    assert f"nothing answers at GPIB{BOARD}::9::INSTR behind it" in found["power_supply"]["remedy"]
    assert found["oscilloscope"]["ok"]


def test_an_adapter_that_is_not_there(config: Path, environment: dict[str, str]) -> None:
    environment["JOULEBENCH_POWER_SUPPLY__GPIB_ADAPTER"] = f"PRLGX-TCPIP{BOARD}::127.0.0.1::1::INTFC"
    found = findings(config, environment)
    assert "nothing listens at its port 1" in found["gpib_adapter"]["remedy"]
    assert "power_supply" not in found


def test_an_adapter_that_is_the_oscilloscope(config: Path, environment: dict[str, str]) -> None:
    _, host, port, _ = environment["JOULEBENCH_OSCILLOSCOPE__RESOURCE"].split("::")
    environment["JOULEBENCH_POWER_SUPPLY__GPIB_ADAPTER"] = f"PRLGX-TCPIP{BOARD}::{host}::{port}::INTFC"
    found = findings(config, environment)
    assert "MSO-X 2024A" in found["power_supply"]["text"]
    assert "power_supply.gpib_adapter" in found["power_supply"]["remedy"]


def test_a_driver_that_is_not_installed(config: Path, environment: dict[str, str]) -> None:
    environment["JOULEBENCH_POWER_SUPPLY__DRIVER"] = "own-supply"
    found = findings(config, environment)
    assert "'own-supply' is not installed; there are e3645a" in found["power_supply"]["text"]
    assert "pip install" in found["power_supply"]["remedy"]


@pytest.mark.parametrize("role", list(Role))
def test_a_wrong_instrument(world, config: Path, environment: dict[str, str], role: Role) -> None:
    world.faults.inject(FaultKind.WRONG_IDENTITY, role)
    found = findings(config, environment)
    assert "34465A" in found[role.value]["text"]
    assert "joulebench discover" in found[role.value]["remedy"]


def test_a_supply_set_outside_the_envelope(config: Path, environment: dict[str, str]) -> None:
    environment["JOULEBENCH_POWER_SUPPLY__MAX_VOLTAGE_V"] = "12"
    found = findings(config, environment)
    assert not found["supply envelope"]["ok"]
    assert found["supply envelope"]["text"] == "set 19 V, 2.2 A; envelope 12 V, 2.2 A"
    assert "max_voltage_v" in found["supply envelope"]["remedy"]


def test_a_store_that_cannot_be_opened(config: Path, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "joulebench-data").write_text("a file where the folder should be")
    found = findings(config, environment)
    assert not found["store"]["ok"]
    assert "storage.directory" in found["store"]["remedy"]
    assert not found["captures"]["ok"]
    assert "may this user write" in found["captures"]["remedy"]


def test_a_disk_with_too_little_room(config: Path, environment: dict[str, str]) -> None:
    found = findings(config, environment | {"JOULEBENCH_STORAGE__MIN_FREE_BYTES": str(10**18)})
    assert "storage.min_free_bytes asks for 1000000000.0 GB" in found["captures"]["text"]
    assert "make room" in found["captures"]["remedy"]


def test_a_broker_that_is_none(config: Path, environment: dict[str, str]) -> None:
    """Whoever listens says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        environment["JOULEBENCH_MQTT__PORT"] = str(server.getsockname()[1])
        found = findings(config, environment | {"JOULEBENCH_OSCILLOSCOPE__TIMEOUT_S": "1"})
    assert "not as an MQTT broker does" in found["broker"]["remedy"]


def test_a_recording_ends_at_its_limit_and_the_check_does_not(
    config: Path, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.cli.check.MB", 700)
    path = tmp_path / "check.jsonl"
    done = check(config, environment, "--record", str(path), "--record-limit-mb", "2", "--json")
    found = {finding["part"]: finding["ok"] for finding in json.loads(done.stdout)["checks"]}
    assert found["oscilloscope"]
    assert found["supply envelope"]
    assert path.stat().st_size <= 1400
    assert read_whole_transcript(path).ended


def test_a_check_is_recorded(config: Path, environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "check.jsonl"
    done = check(config, environment, "--record", str(path), "--json")
    assert json.loads(done.stdout)["checks"]
    roles = {line.role for line in read_transcript(path) if line.event is Event.OPEN}
    assert roles == {"oscilloscope", "power_supply"}
    assert Replay.from_file(path).resource("power_supply") == environment["JOULEBENCH_POWER_SUPPLY__RESOURCE"]
    again = check(config, environment, "--record", str(path))
    assert again.exit_code == 1
    assert "exists already" in str(again.exception)


def test_the_documented_test_replays_what_a_check_wrote(
    config: Path, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tests" / "transcripts"
    folder.mkdir(parents=True)
    check(config, environment, "--record", str(folder / "check.jsonl"))
    config.rename(folder / "lab.toml")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    documented = "test_the_check_of_that_day"
    names_defined("record-a-transcript.md", documented)[documented]()
    monkeypatch.setenv("JOULEBENCH_POWER_SUPPLY__MAX_VOLTAGE_V", "12")
    with pytest.raises(AssertionError):  # another envelope: the same answers are another finding
        names_defined("record-a-transcript.md", documented)[documented]()
