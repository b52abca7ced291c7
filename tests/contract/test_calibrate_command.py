"""`joulebench calibrate` and the procedures' own scripts, against a simulated bench."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from calibration.document import text_to_certificate
from calibration.procedures import gain as gain_script
from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.cli.bench_person import BenchPerson
from daemon.cli.main import app
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings

SCALE = 100.0
PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=SCALE)) as bench:
        yield bench


@pytest.fixture
def config(simulated: SimulatedBenchThread, tmp_path: Path) -> Path:
    path = tmp_path / "bench.toml"
    addresses = simulated.addresses
    path.write_text(
        f"""
        [bench]
        name = "test"
        [oscilloscope]
        resource = "{addresses.oscilloscope}"
        current_scale_a_per_div = 0.2
        current_offset_a = 0.6
        [power_supply]
        resource = "{addresses.power_supply}"
        gpib_adapter = "{addresses.gpib_adapter}"
        max_voltage_v = 20.0
        max_current_a = 2.2
        [storage]
        directory = "data"
        [calibration]
        directory = "certificates"
        """,
        encoding="utf-8",
    )
    return path


def calibrate(*words: str, status: int = 0, typed: str | None = None) -> Any:
    result = CliRunner().invoke(app, ["calibrate", *words], input=typed)
    assert result.exit_code == status, (result.output, result.exception)
    return result


def unattended(simulated: SimulatedBenchThread, config: Path, *words: str) -> dict[str, Any]:
    result = calibrate(*words, "--config", str(config), "--unattended", "--truth", simulated.addresses.truth, "--json")
    return dict(json.loads(result.stdout))


def test_gain_is_stored_with_its_picture_and_its_records(simulated: SimulatedBenchThread, config: Path) -> None:
    say = ("--say", "made_by=A. Müller", "--say", "serial.probe=JP1", "--say", "temperature_c=23")
    document = unattended(simulated, config, "gain", "--levels", "3", *say)
    content = document["certificate"]
    store = CertificateStore(config.parent / "certificates")
    certificate = store.read(content["certificate_id"])
    assert text_to_certificate(json.dumps(document)) == certificate
    assert content["provenance"]["made_by"] == "A. Müller"
    assert content["provenance"]["serials"] == {"probe": "JP1"}
    assert content["provenance"]["environment"] == {"temperature_c": "23"}
    picture = (store.directory / f"{certificate.certificate_id}.png").read_bytes()
    assert picture.startswith(PNG)
    files = CaptureFiles(config.parent / "data" / "captures")
    assert len(certificate.provenance.captures) == 6
    for use in certificate.provenance.captures:
        files.read(f"{use.capture_id}.parquet", expected_sha256=use.sha256)


def test_every_kind_is_listed_and_shown(simulated: SimulatedBenchThread, config: Path) -> None:
    zero = unattended(simulated, config, "zero")["certificate"]
    closing = unattended(simulated, config, "zero", "--jaw-open", "--closes", zero["certificate_id"])["certificate"]
    delay = unattended(simulated, config, "delay", "--board", "nucleo")["certificate"]
    lead = unattended(simulated, config, "lead")["certificate"]
    assert lead["resistance_ohm"]["value"] == pytest.approx(0.05, rel=0.02)
    assert closing["opened_by"] == zero["certificate_id"]
    listed = json.loads(calibrate("list", "--config", str(config), "--json").stdout)["certificates"]
    assert [one["certificate"]["kind"] for one in listed] == ["lead", "delay", "zero", "zero"]
    table = calibrate("list", "--config", str(config)).stdout
    assert all(one["certificate"]["certificate_id"] in table for one in listed)
    shown = calibrate("show", delay["certificate_id"], "--config", str(config)).stdout
    assert "rise_delay_s" in shown
    assert "raw captures: 4" in shown


def test_a_person_is_guided_step_by_step(simulated: SimulatedBenchThread, config: Path) -> None:
    with TruthClient(simulated.addresses.truth) as truth:
        truth.wire(load="open")  # what the person does when asked
        result = calibrate("zero", "--config", str(config), typed="\n\n")
        truth.wire(load="board")
    assert "Disconnect the board" in result.stderr
    assert "connect the board again" in result.stderr
    assert "[ 5/5]" in result.stderr
    assert "supply_offset_a" in result.stdout


def test_a_person_is_asked_until_a_number_comes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("not yet\n0.512\n"))
    assert BenchPerson().read_number("Reading of the ammeter") == 0.512
    assert capsys.readouterr().err.count("Reading of the ammeter") == 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("gain", "--unattended"), "go together"),
        (("gain", "--truth", "tcp://127.0.0.1:1"), "go together"),
        (("gain", "--unattended", "--truth", "tcp://127.0.0.1:1", "--say", "nothing"), "KEY=VALUE"),
    ],
)
def test_what_cannot_be_ordered(config: Path, words: tuple[str, ...], text: str) -> None:
    assert text in calibrate(*words, "--config", str(config), status=2).stderr


def test_only_a_zero_closes_a_bracket(simulated: SimulatedBenchThread, config: Path) -> None:
    lead = unattended(simulated, config, "lead")["certificate"]["certificate_id"]
    result = calibrate("zero", "--config", str(config), "--closes", lead, status=2)
    assert "not zero" in result.stderr


def test_a_procedure_runs_as_a_script(
    simulated: SimulatedBenchThread,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    addresses = simulated.addresses
    words = ["gain", "--oscilloscope", addresses.oscilloscope, "--power-supply", addresses.power_supply]
    words += ["--gpib-adapter", addresses.gpib_adapter, "--folder", str(tmp_path), "--levels", "3"]
    monkeypatch.setattr("sys.argv", [*words, "--unattended", addresses.truth])
    assert gain_script.main() == 0
    out, err = capsys.readouterr()
    certificate = text_to_certificate(out)
    assert CertificateStore(tmp_path).certificates() == (certificate,)
    assert len(list((tmp_path / "records").glob("*.npz"))) == 6
    assert "[ 7/7]" in err


def test_a_script_says_in_one_line_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["gain", "--oscilloscope", "TCPIP0::127.0.0.1::1::SOCKET", "--power-supply", "TCPIP0::127.0.0.1::1::SOCKET"]
    monkeypatch.setattr("sys.argv", [*words, "--folder", str(tmp_path)])
    assert gain_script.main() == 1
    assert "2 instruments not ready" in capsys.readouterr().err
