"""`joulebench calibrate` and the procedures' own scripts, against a simulated bench."""

import asyncio
import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from calibration.bench_operator import Step
from calibration.certificate import Certificate
from calibration.document import text_to_certificate
from calibration.errors import NobodyAnswers
from calibration.lead_certificate import LeadCertificate
from calibration.procedures import gain as gain_script
from calibration.procedures import lead as lead_script
from calibration.procedures import zero as zero_script
from calibration.script import Terminal
from calibration.store import CertificateStore
from calibration.validity import VALIDITY_DAYS
from calibration.zero_certificate import ZeroCertificate
from daemon.bench_configuration import bench_settings
from daemon.bench_lock import BenchLock
from daemon.captures import CaptureFiles
from daemon.cli.bench_person import BenchPerson
from daemon.cli.main import app
from daemon.configuration import load_configuration
from instruments.bench import Bench
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings

SCALE = 100.0
Shell = Callable[..., tuple[Certificate, str]]
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


@pytest.mark.long
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
    assert re.search(r"rise delay -?\d+\.\d ± \d\.\d µs \(k = 1\)", shown)
    assert "board: nucleo" in shown
    for said in ("board: nucleo", f"opened by: {zero['certificate_id']}", "remote sense: no"):
        assert said in table
    assert "raw captures: 4" in shown


def test_an_empty_list_is_a_sentence_and_a_table_is_as_wide_as_columns_says(
    simulated: SimulatedBenchThread, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is no certificate in" in calibrate("list", "--config", str(config)).stdout
    assert json.loads(calibrate("list", "--config", str(config), "--json").stdout) == {"certificates": []}
    unattended(simulated, config, "lead")
    monkeypatch.setenv("COLUMNS", "90")
    assert max(map(len, calibrate("list", "--config", str(config)).stdout.splitlines())) == 90


@pytest.mark.long
def test_the_gain_is_shown_as_one_number_with_all_of_its_uncertainty(
    simulated: SimulatedBenchThread, config: Path
) -> None:
    content = unattended(simulated, config, "gain", "--levels", "3")["certificate"]
    shown = calibrate("show", content["certificate_id"], "--config", str(config)).stdout
    random, reference = (content[name]["standard_uncertainty"] for name in ("gain_random", "gain_reference"))
    assert f"  gain {content['gain_random']['value']:.5f} ± {math.hypot(random, reference):.5f} (k = 1)" in shown
    assert "reference: power_supply" in shown
    assert "± " not in shown.partition("gain reference")[2]
    assert "gain random" not in shown


@pytest.fixture
def switched_on_after(config: Path) -> Iterator[None]:
    """Switch the output on again that a test leaves off: the tests of this file share one bench."""
    yield

    async def switch_on() -> None:
        async with Bench(bench_settings(load_configuration(config))) as bench:
            await bench.set_supply_output(True)

    asyncio.run(switch_on())


@pytest.mark.usefixtures("switched_on_after")
def test_a_board_that_is_still_connected_stores_nothing(simulated: SimulatedBenchThread, config: Path) -> None:
    for verb in ("zero", "gain"):
        result = calibrate(verb, "--config", str(config), status=1, typed="\n\n")
        assert "disconnect the board" in str(result.exception)
        with TruthClient(simulated.addresses.truth) as truth:
            assert abs(truth.supply_means()["current_a"]) < 1e-4, "the output stays off"
    assert not CertificateStore(config.parent / "certificates").certificates()


def test_a_jaw_that_plainly_holds_the_lead_still_is_refused(simulated: SimulatedBenchThread, config: Path) -> None:
    result = calibrate("zero", "--jaw-open", "--config", str(config), status=1, typed="\n\n")
    assert re.search(r"A is indicated with the jaw open, .* allow -0\.0960 to 0\.0960 A", str(result.exception))
    assert not (config.parent / "certificates").exists()


@pytest.mark.usefixtures("switched_on_after")
def test_a_closed_standard_input_is_not_done(simulated: SimulatedBenchThread, config: Path) -> None:
    result = calibrate("zero", "--config", str(config), status=1, typed="")
    assert "nobody answers 'Press Enter when it is done'" in str(result.exception)
    assert "output was left off" in str(result.exception)


@pytest.mark.parametrize("operator", [BenchPerson(), Terminal()])
def test_at_the_end_of_a_file_nobody_is_asked_again(
    operator: BenchPerson | Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("not yet\n"))
    with pytest.raises(NobodyAnswers, match="Reading of the ammeter"):
        operator.read_number("Reading of the ammeter")
    with pytest.raises(NobodyAnswers, match="standard input is closed"):
        operator.perform(Step(text="Disconnect the board."))


def test_an_ammeter_is_refused_before_anything_is_begun_where_nobody_reads_it(config: Path) -> None:
    words = ("gain", "--config", str(config), "--unattended", "--truth", "tcp://127.0.0.1:1")
    assert "needs a person" in calibrate(*words, "--ammeter", "0.001", "0.001", status=2).stderr


@pytest.mark.long
def test_a_bench_that_is_held_is_not_calibrated(simulated: SimulatedBenchThread, config: Path) -> None:
    words = ("lead", "--config", str(config), "--unattended", "--truth", simulated.addresses.truth)
    with BenchLock(load_configuration(config)).held("joulebench daemon"):
        said = str(calibrate(*words, status=1).exception)
    assert re.search(r"bench 'test' is in use by joulebench daemon, process \d+ .*: stop that program", said)
    assert not (config.parent / "certificates").exists()
    calibrate(*words)


def test_a_person_is_guided_step_by_step(simulated: SimulatedBenchThread, config: Path) -> None:
    with TruthClient(simulated.addresses.truth) as truth:
        truth.wire(load="open")  # what the person does when asked
        result = calibrate("zero", "--config", str(config), typed="\n\n")
        truth.wire(load="board")
    assert "Disconnect the board" in result.stderr
    assert "connect the board again" in result.stderr
    assert "[ 5/5]" in result.stderr
    assert "supply offset " in result.stdout


def test_a_person_is_asked_until_a_number_comes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("not yet\n0.512\n"))
    assert BenchPerson().read_number("Reading of the ammeter") == 0.512
    assert capsys.readouterr().err.count("Reading of the ammeter") == 2


@pytest.mark.long
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


@pytest.fixture
def shell(
    simulated: SimulatedBenchThread,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """Run a procedure's script, and return its certificate with what was told."""
    addresses = simulated.addresses
    words = ["--oscilloscope", addresses.oscilloscope, "--power-supply", addresses.power_supply]
    words += ["--gpib-adapter", addresses.gpib_adapter, "--folder", str(tmp_path), "--unattended", addresses.truth]

    def run(script: ModuleType, *more: str) -> tuple[Certificate, str]:
        monkeypatch.setattr("sys.argv", ["script", *words, *more])
        assert script.main() == 0
        out, err = capsys.readouterr()
        return text_to_certificate(out), err

    return run


def test_a_procedure_runs_as_a_script(shell: Shell, tmp_path: Path) -> None:
    say = ("--say", "made_by=A. Müller", "--say", "serial.probe=JP1", "--say", "temperature_c=23", "--say", "note=warm")
    certificate, err = shell(gain_script, "--levels", "3", *say)
    assert CertificateStore(tmp_path).certificates() == (certificate,)
    assert len(list((tmp_path / "records").glob("*.npz"))) == 6
    assert "[ 7/7]" in err
    provenance = certificate.provenance
    assert (provenance.made_by, provenance.note) == ("A. Müller", "warm")
    assert (provenance.serials, provenance.environment) == ({"probe": "JP1"}, {"temperature_c": "23"})
    assert (tmp_path / f"{certificate.certificate_id}.png").read_bytes().startswith(PNG)
    assert _days(certificate) == VALIDITY_DAYS["gain"]


def test_a_script_closes_a_bracket_and_a_zero_holds_a_day(shell: Shell) -> None:
    before, _ = shell(zero_script)
    after, _ = shell(zero_script, "--jaw-open", "--closes", before.certificate_id)
    assert isinstance(after, ZeroCertificate)
    assert after.opened_by == before.certificate_id
    assert _days(before) == 1


@pytest.mark.long
def test_a_script_takes_the_limits_of_the_leads(shell: Shell) -> None:
    certificate, err = shell(lead_script, "--channel-gain-limit", "0.5")
    assert isinstance(certificate, LeadCertificate)
    assert certificate.resistance_ohm.standard_uncertainty > 0.5 * 0.01 / math.sqrt(3) * 0.9
    assert ".png" in err


def test_a_script_refuses_an_ammeter_that_nobody_reads(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        shell(gain_script, "--ammeter", "0.001", "0.001")
    assert "needs a person" in capsys.readouterr().err


@pytest.mark.long
def test_as_a_module_a_script_draws_its_picture_too(simulated: SimulatedBenchThread, tmp_path: Path) -> None:
    addresses = simulated.addresses
    words = ["--oscilloscope", addresses.oscilloscope, "--power-supply", addresses.power_supply]
    words += ["--gpib-adapter", addresses.gpib_adapter, "--folder", str(tmp_path), "--unattended", addresses.truth]
    command = [sys.executable, "-m", "calibration.procedures.gain", *words, "--levels", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("gain-*.png"))) == 1


def _days(certificate: Certificate) -> float:
    return (certificate.valid_until_utc_ns - certificate.valid_from_utc_ns) / 86_400e9


def test_a_script_says_in_one_line_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["gain", "--oscilloscope", "TCPIP0::127.0.0.1::1::SOCKET", "--power-supply", "TCPIP0::127.0.0.1::1::SOCKET"]
    monkeypatch.setattr("sys.argv", [*words, "--folder", str(tmp_path)])
    assert gain_script.main() == 1
    assert "2 instruments not ready" in capsys.readouterr().err
