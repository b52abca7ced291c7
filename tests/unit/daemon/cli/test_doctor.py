"""`joulebench doctor`: exit status, JSON, repairs, and a daemon that is at work meanwhile."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from daemon.bench_lock import BenchLock
from daemon.cli.main import app
from daemon.configuration import load_configuration
from tests.unit.daemon.doctor.sound_storage import (
    BENCH,
    add_unfinished_run,
    store_of,
    write_capture,
)

CONFIGURATION = f"""
[bench]
name = "{BENCH}"
[oscilloscope]
resource = "TCPIP0::h::5025::SOCKET"
current_scale_a_per_div = 0.2
current_offset_a = 0.5
[power_supply]
resource = "GPIB0::5::INSTR"
max_voltage_v = 20.0
max_current_a = 2.2
[storage]
directory = "."
min_free_bytes = 0
[calibration]
directory = "certificates"
"""


@pytest.fixture
def config(storage: Path) -> Path:
    path = storage / "bench.toml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


def invoke(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--config", str(config), *arguments])


def document_of(config: Path, *arguments: str) -> Any:
    return json.loads(invoke(config, "--json", *arguments).stdout)


def test_a_sound_storage_ends_with_status_0(config: Path) -> None:
    result = invoke(config)
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    assert "sound (7 runs, 12 captures, 13 files, 6 results, 1 certificates, 39 journal entries)" in result.stdout
    document = document_of(config)
    assert (document["sound"], document["findings"], document["in_hand_of"]) == (True, [], None)
    assert document["counted"]["captures"] == 12


def test_findings_end_with_status_1_and_say_what_to_do(config: Path) -> None:
    missing = config.parent / "captures" / "run-3-1.parquet"
    missing.unlink()
    result = invoke(config)
    assert result.exit_code == 1
    text = " ".join(result.stdout.replace("│", " ").split())
    assert "capture_missing" in text
    assert "capture 1 of run run-3 is not there; results that rest on it: 1" in text
    assert "-> copy this one file from a backup" in text
    (finding,) = document_of(config)["findings"]
    assert finding["where"] == str(missing)
    assert (finding["code"], finding["repairable"], finding["repaired"]) == ("capture_missing", False, False)


def test_what_is_safe_is_repaired_and_the_rest_still_ends_with_status_1(config: Path) -> None:
    with store_of(config.parent) as store:
        add_unfinished_run(store, "left")
    write_capture(config.parent, "given-up", 1)
    (config.parent / "captures" / "left-0.parquet.part").write_bytes(b"half")
    assert invoke(config).exit_code == 1

    document = document_of(config, "--repair")
    assert (document["sound"], [one["repaired"] for one in document["findings"]]) == (True, [True] * 3)
    assert invoke(config, "--repair").exit_code == 0
    with store_of(config.parent) as store:
        (entry,) = store.journal()
        assert (entry.event, entry.detail["code"]) == ("repaired", "file_unfinished")

    (config.parent / "captures" / "run-3-1.parquet").unlink()
    write_capture(config.parent, "given-up", 0)
    result = invoke(config, "--repair")
    assert result.exit_code == 1
    text = " ".join(result.stdout.replace("│", " ").split())
    assert "repaired" in text
    assert "capture_missing" in text


def test_a_repair_that_fails_keeps_nothing_from_the_others(config: Path) -> None:
    parts = [config.parent / "captures" / f"left-{index}.parquet.part" for index in range(2)]
    parts[0].mkdir()
    parts[1].write_bytes(b"half")
    result = invoke(config, "--repair")
    assert result.exit_code == 1
    assert f"{parts[0]} was not repaired" in result.stderr
    assert [path.exists() for path in parts] == [True, False]


def test_while_a_daemon_runs_it_looks_and_repairs_nothing(config: Path) -> None:
    with store_of(config.parent) as store:
        add_unfinished_run(store, "in-hand")
    with BenchLock(load_configuration(config)).held("joulebench daemon"):
        looked = invoke(config)
        refused = invoke(config, "--repair")
    assert looked.exit_code == 0
    assert "in the hands of joulebench daemon, process" in looked.stderr
    assert refused.exit_code == 1
    assert "is in use by joulebench daemon" in str(refused.exception)
    with store_of(config.parent) as store:
        run = store.run("in-hand")
        assert run is not None
        assert run.state == "armed"
