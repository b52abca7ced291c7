"""`joulebench discover` on the simulated bench: everything is found, and its configuration is accepted."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from daemon import discovery_round
from daemon.cli.main import app
from daemon.configuration import load_configuration
from instruments import discovery
from instruments.resource_list import ResourceList
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings

BOARD = 26
SERIAL_LINES = ("ASRL/dev/ttyS0::INSTR", "PRLGX-ASRL0::/dev/ttyS0::INTFC")
"""One port, by both names that PyVISA-py lists it under: an instrument's, and an adapter's."""


@pytest.fixture(scope="module")
def world() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=20.0), board_number=BOARD) as world:
        yield world


@pytest.fixture(autouse=True)
def short_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus of two addresses: an empty one is waited for, and all thirty would take half a minute."""
    monkeypatch.setattr(discovery, "GPIB_ADDRESSES", (5, 6))
    monkeypatch.setattr(discovery_round, "GPIB_ADDRESSES", (5, 6))


def discover(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["discover", "--only-given", *arguments], env={"COLUMNS": "200"})


def ways_to(world: SimulatedBenchThread) -> list[str]:
    addresses = world.addresses
    host_and_port = ":".join(addresses.oscilloscope.split("::")[1:3])
    return [
        *("--address", host_and_port),
        *("--address", addresses.oscilloscope_vxi11),
        *("--gpib-adapter", addresses.gpib_adapter),
    ]


def test_the_whole_bench_is_found_and_its_configuration_is_accepted(world, tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    done = discover(*ways_to(world), "--write", str(path), "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert [(one["resource"], one["good_for"]) for one in document["found"]] == [
        (world.addresses.oscilloscope, "oscilloscope"),
        (world.addresses.oscilloscope_vxi11, "oscilloscope"),
        (world.addresses.power_supply, "power_supply"),
    ]
    assert document["silent"] == []
    assert document["wrote"] == str(path)
    configuration = load_configuration(path)
    assert configuration.oscilloscope.resource == world.addresses.oscilloscope
    assert configuration.power_supply.gpib_adapter == world.addresses.gpib_adapter
    assert configuration.power_supply.max_voltage_v == 19.0


def test_check_takes_the_drafted_configuration(world, tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    assert discover(*ways_to(world), "--write", str(path)).exit_code == 0
    done = CliRunner().invoke(app, ["check", "--config", str(path), "--json"], env={"JOULEBENCH_MQTT__PORT": "1"})
    failed = [one["part"] for one in json.loads(done.stdout)["checks"] if not one["ok"]]
    assert failed == ["broker"], "all that the file says of the instruments is right"


def test_people_see_progress_and_problems_beside_the_table(world) -> None:
    done = discover(*ways_to(world), "--address", "127.0.0.1:1")
    assert "MSO-X 2024A" in done.stdout
    assert "asking" not in done.stdout
    assert f"asking {world.addresses.gpib_adapter}: GPIB address 6 (2 of 2)" in done.stderr
    assert (
        "TCPIP0::127.0.0.1::1::SOCKET: 127.0.0.1 is there, but nothing listens at its port 1; is the port"
        in done.stderr
    )


def test_one_instrument_alone_is_drafted_with_a_gap(world, tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    done = discover("--address", world.addresses.oscilloscope, "--write", str(path))
    assert done.exit_code == 0
    assert "no power_supply answered: put its resource name into [power_supply]" in done.stderr
    assert tomllib.loads(path.read_text())["oscilloscope"]["resource"] == world.addresses.oscilloscope


def test_nothing_that_answers_is_an_error_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    done = discover("--address", "127.0.0.1:1", "--write", str(path), "--json")
    assert done.exit_code == 1
    assert "no instrument answered (1 resource name asked" in done.stderr
    document = json.loads(done.stdout)
    assert document["found"] == []
    assert "nothing listens" in document["silent"][0]["problem"]
    assert document["wrote"] is None
    assert not path.exists()


def test_a_file_is_never_overwritten_unasked(world, tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text("mine")
    arguments = ("--address", world.addresses.oscilloscope, "--write", str(path))
    done = discover(*arguments)
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert path.read_text() == "mine"
    assert discover(*arguments, "--force").exit_code == 0
    assert path.read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [(("--address", "a:5024"), "--address"), (("--gpib-adapter", "GPIB0::5::INSTR"), "--gpib-adapter")],
)
def test_an_address_that_is_none_is_refused_by_its_option(arguments: tuple[str, ...], option: str) -> None:
    done = discover(*arguments)
    assert done.exit_code == 2
    assert f"Invalid value for {option}" in done.stderr


def test_what_the_computer_lists_is_asked_but_for_serial_lines(world) -> None:
    told: list[str] = []

    def listed() -> ResourceList:
        return ResourceList(resources=(*SERIAL_LINES, world.addresses.oscilloscope), lacking=("no USB",))

    seen = discovery_round.survey([], listing=True, tell=told.append, listed=listed)
    assert [one.resource for one in seen.found] == [world.addresses.oscilloscope]
    assert [one.resource for one in seen.silent] == list(SERIAL_LINES)
    assert seen.lacking == ("no USB",)
    assert seen.asked == 1
    assert told == [
        "listing USB, GPIB, serial lines, and VXI-11 on the network",
        f"asking {world.addresses.oscilloscope}",
    ]
