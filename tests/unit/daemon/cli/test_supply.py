"""`joulebench supply`: what was done, what stands, and a person's word for it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from daemon.configuration import load_configuration
from daemon.supply_alarm import Alarm, AlarmFile
from instruments.acting import acting
from instruments.audit_log import AuditLog, Stage
from tests.in_process import Ended, run_command

CONFIGURATION = """
[bench]
name = "north"
[oscilloscope]
resource = "TCPIP0::192.0.2.1::5025::SOCKET"
current_scale_a_per_div = 0.2
[power_supply]
resource = "GPIB0::5::INSTR"
max_voltage_v = 20.0
max_current_a = 2.0
[storage]
directory = "data"
[calibration]
directory = "certificates"
"""
ALARM = Alarm(kind="over_voltage", text="power_supply: 25 V are measured", at_utc_ns=1_795_667_400_000_000_000)


@dataclass
class Lab:
    config: Path
    run: Callable[..., Ended]

    @property
    def log(self) -> AuditLog:
        return AuditLog(self.config.parent / "data" / "audit", bench="north")

    @property
    def alarms(self) -> AlarmFile:
        return AlarmFile(load_configuration(self.config))

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lab:
    config = tmp_path / "bench.toml"
    config.write_text(CONFIGURATION)

    def run(verb: str, *arguments: str) -> Ended:
        command = ["supply", verb, "--config", str(config), *arguments]
        return run_command(command, monkeypatch=monkeypatch, capsys=capsys)

    return Lab(config, run)


def change(log: AuditLog) -> None:
    """Write what switching on leaves in the log, and a change of another program that was killed in it."""
    before, after = {"output_on": False, "voltage_v": 12.0, "current_a": 0.5}, {"output_on": True, "voltage_v": 12.0}
    with acting(program="joulebench daemon", run_id="r7"):
        for stage, more in ((Stage.INTENDED, {}), (Stage.DONE, {"after": after})):
            log.write(stage, "output_on", change="c1", wanted={"output_on": True}, before=before, **more)
    with acting(program="joulebench calibrate", procedure="zero-1"):
        log.write(Stage.INTENDED, "set_point", change="c2", wanted={"voltage_v": 3.0}, before=after)


def test_the_log_is_shown_with_who_when_and_from_what_to_what(lab: Lab) -> None:
    change(lab.log)
    ended = lab.run("audit")
    assert ended.returncode == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ended.stdout.splitlines() if "20" in line]
    assert [row[1:3] for row in rows] == [["done", "output_on"], ["intended", "set_point"]]
    assert rows[0][3:5] == ["off, 12 V, 0.5 A", "on, 12 V"]
    assert rows[0][5].startswith("joulebench daemon, run r7")
    assert rows[1][4] == "3 V"
    assert "zero-1" in rows[1][5]


def test_the_log_as_json_holds_every_line_and_counts_the_torn(lab: Lab) -> None:
    change(lab.log)
    AuditLog(lab.log.directory, bench="south").write(Stage.EVENT, "elsewhere")
    (path,) = lab.log.directory.iterdir()
    with path.open("ab") as file:
        file.write(b'{"v": 1, "ut')
    document = lab.json("audit")
    assert [line["stage"] for line in document["lines"]] == ["intended", "done", "intended"]
    assert document["torn"] == 1
    assert [line["change"] for line in lab.json("audit", "--last", "1")["lines"]] == ["c2"]
    assert "1 torn line left out" in lab.run("audit").stderr


def test_a_log_that_is_not_there_is_no_error(lab: Lab) -> None:
    ended = lab.run("audit")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "nothing is written" in ended.stderr


def test_alarms_are_listed_until_they_are_acknowledged(lab: Lab) -> None:
    assert (lab.run("alarms").returncode, lab.json("alarms")) == (0, {"alarms": []})
    lab.alarms.add(ALARM)
    ended = lab.run("alarms")
    assert ended.returncode == 1
    assert re.search(r"2026-11-26 04:30:00 │ over_voltage +│ - +│ power_supply: 25 V are measured", ended.stdout)
    ended = lab.run("acknowledge", "--note", "a solder bridge")
    assert ended.returncode == 0
    assert "runs are taken again" in ended.stderr
    assert lab.run("alarms").returncode == 0
    (line,) = lab.json("audit")["lines"]
    assert (line["action"], line["note"], line["alarms"][0]["kind"]) == (
        "acknowledged", "a solder bridge", "over_voltage",
    )  # fmt: skip
    assert line["by"]["program"] == "joulebench supply acknowledge"
    assert "a solder bridge" in lab.run("audit").stdout


def test_what_cannot_be_written_down_is_not_acknowledged(lab: Lab) -> None:
    lab.alarms.add(ALARM)
    log = lab.log
    log.directory.mkdir(parents=True)
    log.path(log._utc_ns()).symlink_to("/dev/full")
    ended = lab.run("acknowledge")
    assert ended.returncode == 1
    assert "make room" in ended.stderr
    assert lab.alarms.standing() == (ALARM,)


def test_an_alarm_that_comes_meanwhile_is_not_cleared(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.alarms.add(ALARM)
    write = AuditLog.write

    def late(*arguments: Any, **facts: Any) -> None:
        write(*arguments, **facts)
        lab.alarms.add(ALARM)

    monkeypatch.setattr(AuditLog, "write", late)
    ended = lab.run("acknowledge")
    assert ended.returncode == 1
    assert "another alarm has come meanwhile" in ended.stderr
    assert len(lab.alarms.standing()) == 2


def test_without_an_alarm_there_is_nothing_to_acknowledge(lab: Lab) -> None:
    ended = lab.run("acknowledge")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert lab.json("audit")["lines"] == []
