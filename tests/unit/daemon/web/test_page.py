"""What the page is made of, and every question it asks, on a store and files of its own."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import pytest_asyncio

from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.configuration import OwnConfiguration
from daemon.export.capture_file import CaptureFormat, contents_of
from daemon.store import Store
from daemon.web import capture_reader
from daemon.web.content_policy import POLICY
from daemon.web.event_feed import WATCHER_LIMIT, encoded
from daemon.web.page_files import page_files
from daemon.web.page_reader import PageReader
from daemon.web.routers import events
from instruments.simulated_identity import SIMULATED_SCOPE_IDENTITY
from runners.campaign.local_campaigns import SUFFIX
from runners.messages import RunPhase
from tests.unit.calibration.example_certificate import certificate
from tests.unit.daemon.example_capture import example_capture
from tests.unit.daemon.stored_runs import add_run
from tests.unit.daemon.web.stage import WebStage
from tests.unit.daemon.web.test_waveform import parts_of

SCRIPTS = {
    name: file.content.decode() for name, file in page_files().items() if name.endswith((".js", ".html", ".css"))
}


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[WebStage]:
    """Serve one run with a capture, one without, and a broken campaign."""
    configuration = OwnConfiguration(
        bench={"name": "test"}, mqtt={"host": "127.0.0.1"},
        oscilloscope={"resource": "TCPIP::127.0.0.1::5025::SOCKET", "current_scale_a_per_div": 0.2},
        power_supply={"resource": "GPIB0::5::INSTR", "max_voltage_v": 20.0, "max_current_a": 2.2},
        storage={"directory": tmp_path}, calibration={"directory": tmp_path / "certificates", "missing": "accept"},
        http={"campaigns": tmp_path},
    )  # fmt: skip
    (tmp_path / f"night{SUFFIX}").write_text("no journal\n")
    files = CaptureFiles(configuration.storage.captures_directory)
    reference = files.write("r1-0", example_capture(np.random.default_rng(1)), {"supply": {"loaded_voltage_v": 12.0}})
    with Store(configuration.storage.url, bench="test") as store:
        add_run(store, "r1")
        add_run(store, "r2", energy_j=None, quality="invalid")
        add_run(store, "r3", energy_j=1.5)
        store.add_capture("r1", 0, reference)
        reader = PageReader(configuration, store)
        yield WebStage(reader=reader)
        reader.close()


async def asked(stage: WebStage, path: str) -> httpx.Response:
    async with stage.client() as client:
        return await client.get(path)


async def test_runs_come_with_energy_and_verdict(stage: WebStage) -> None:
    runs = {one["run_id"]: one for one in (await asked(stage, "/api/v1/runs")).json()}
    assert runs["r1"]["result"]["gross_u95_j"] == pytest.approx(0.04)
    assert (runs["r2"]["result"]["quality"], runs["r2"]["result"]["reasons"]) == ("invalid", ["probe_dead"])


async def test_one_run_has_its_steps_captures_and_results(stage: WebStage) -> None:
    run = (await asked(stage, "/api/v1/runs/r1")).json()
    assert [one["state"] for one in run["steps"]] == ["accepted", "armed", "captured", "analysing", "done"]
    assert run["captures"][0]["kept"]
    assert run["results"][0]["budget"][0]["term"] == "probe gain"


async def test_a_run_says_that_it_was_simulated_while_its_capture_does(stage: WebStage, tmp_path: Path) -> None:
    async def told(run_id: str) -> bool | None:
        found: bool | None = (await asked(stage, f"/api/v1/runs/{run_id}")).json()["simulated"]
        return found

    assert [await told(one) for one in ("r1", "r2")] == [True, None]
    (tmp_path / "captures" / "r1-0.parquet").write_bytes(b"no capture")
    assert await told("r1") is None
    (tmp_path / "captures" / "r1-0.parquet").unlink()
    assert await told("r1") is None


async def test_a_capture_comes_as_it_lies_on_the_disk(stage: WebStage, tmp_path: Path) -> None:
    answer = await asked(stage, "/api/v1/runs/r1/captures/0/file")
    assert answer.content == (tmp_path / "captures" / "r1-0.parquet").read_bytes()
    assert (await asked(stage, "/api/v1/runs/r1/captures/0/waveform")).status_code == 200


@pytest.mark.parametrize(("form", "name"), [("csv", "r1-0.csv"), ("npz", "r1-0.npz"), ("raw", "r1-0.raw.zip")])
async def test_a_capture_comes_in_other_formats_as_the_command_writes_them(
    stage: WebStage, tmp_path: Path, form: str, name: str
) -> None:
    answer = await asked(stage, f"/api/v1/runs/r1/captures/0/export?form={form}")
    assert name in answer.headers["content-disposition"]
    files = CaptureFiles(tmp_path / "captures")
    expected = contents_of(files.read("r1-0.parquet"), files.describe("r1-0.parquet"), CaptureFormat(form))
    if form == "raw":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
            assert {one.removeprefix("r1-0.raw"): packed.read(one) for one in packed.namelist()} == expected
    elif form == "csv":
        assert answer.content == expected[""]
    else:
        found, wanted = np.load(io.BytesIO(answer.content)), np.load(io.BytesIO(expected[""]))
        assert set(found) == set(wanted)
        assert all(np.array_equal(found[one], wanted[one]) for one in found)


async def test_what_is_too_long_for_another_format_is_the_commands(
    stage: WebStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture_reader, "DOWNLOAD_LIMIT", 100)
    answer = await asked(stage, "/api/v1/runs/r1/captures/0/export?form=csv")
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")
    assert "joulebench captures export r1 --format csv" in answer.json()["text"]


async def test_a_part_of_a_waveform_can_be_asked_for(stage: WebStage) -> None:
    answer = await asked(stage, "/api/v1/runs/r1/captures/0/waveform?first=10&count=20")
    head, codes, _ = parts_of(answer.content)
    assert (head["samples"], head["recorded_samples"], codes.size) == (20, 1000, 20)


async def test_windows_that_cannot_be_placed_again_are_said_to_be(stage: WebStage) -> None:
    head, _, _ = parts_of((await asked(stage, "/api/v1/runs/r1/captures/0/waveform")).content)
    assert head["placed_by"] is None
    assert "not finished" in head["placing_problem"]


async def test_two_runs_are_compared_as_the_command_does(stage: WebStage) -> None:
    with_itself = (await asked(stage, "/api/v1/runs/r1/compared-with/r1")).json()
    assert "on both sides" in with_itself["problem"]
    with_invalid = (await asked(stage, "/api/v1/runs/r1/compared-with/r2")).json()
    assert "cannot be compared" in with_invalid["problem"]
    found = (await asked(stage, "/api/v1/runs/r1/compared-with/r3")).json()
    assert found["problem"] is None
    assert found["distinguishable"]
    assert found["difference_j"]["value"] == pytest.approx(-0.5)
    assert "costs 33.3" in found["sentence"]


async def test_older_runs_come_by_offset(stage: WebStage) -> None:
    runs = [one["run_id"] for one in (await asked(stage, "/api/v1/runs")).json()]
    found = [(await asked(stage, f"/api/v1/runs?limit=1&offset={at}")).json()[0]["run_id"] for at in range(3)]
    assert found == runs
    assert (await asked(stage, "/api/v1/runs?offset=3")).json() == []


async def test_a_damaged_capture_is_refused_and_not_drawn(stage: WebStage, tmp_path: Path) -> None:
    path = tmp_path / "captures" / "r1-0.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    answer = await asked(stage, "/api/v1/runs/r1/captures/0/waveform")
    assert (answer.status_code, answer.json()["reason"]) == (503, "unreadable")


@pytest.mark.parametrize(
    "path",
    [
        "runs/none", "runs/none/result.json", "runs/r1/compared-with/none", "runs/r1/captures/1/waveform",
        "runs/r2/captures/0/file", "certificates/none/picture",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_said_to_be(stage: WebStage, path: str) -> None:
    answer = await asked(stage, f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_there")


@pytest.mark.parametrize(
    "path", ["runs/..%2f..", "runs/a.b", "runs/r1/captures/-1/file", "certificates/..%2fx/picture"]
)
async def test_no_name_leads_out_of_a_folder(stage: WebStage, path: str) -> None:
    assert (await asked(stage, f"/api/v1/{path}")).status_code in (404, 422)


async def test_a_campaign_that_cannot_be_read_says_why(stage: WebStage) -> None:
    (one,) = (await asked(stage, "/api/v1/campaigns")).json()
    assert one["name"] == "night"
    assert one["problem"]


async def test_a_watcher_is_told_when_a_journal_changed_and_only_then(
    stage: WebStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "LOOK_S", 0.01)
    journal = tmp_path / f"night{SUFFIX}"
    with stage.feed.watching() as watcher:
        told = events._told(stage.application().state.services, watcher)
        assert (await anext(told)).startswith(b"event: bench")
        for change in (lambda: journal.write_text("longer than it was\n"), journal.unlink):
            coming = asyncio.create_task(anext(told))
            await asyncio.sleep(0)
            stage.feed.ended("r9", RunPhase.FAILED, "x")
            assert (await coming).startswith(b"event: run"), "a journal that stays as it is is not told"
            change()
            assert await anext(told) == encoded("campaigns", {})


async def test_there_may_be_no_certificate(stage: WebStage) -> None:
    assert (await asked(stage, "/api/v1/certificates")).json() == []


async def test_a_damaged_certificate_says_so_and_hides_no_other(stage: WebStage, tmp_path: Path) -> None:
    folder = CertificateStore(tmp_path / "certificates")
    folder.add(certificate("gain-good"))
    path = folder.add(certificate("gain-damaged"))
    path.write_text(path.read_text().replace("1.0", "1.1", 1)[:-20])
    (folder.directory / "gain-renamed.json").write_bytes((folder.directory / "gain-good.json").read_bytes())
    found = {one["certificate_id"]: one for one in (await asked(stage, "/api/v1/certificates")).json()}
    assert {name: one["problem"] is None for name, one in found.items()} == {
        "gain-damaged": False,
        "gain-renamed": False,
        "gain-good": True,
    }
    assert list(found)[-1] == "gain-good", "what is to be mended comes first"
    assert str(path) in found["gain-damaged"]["problem"]
    assert found["gain-good"]["kind"] == "gain"


async def test_the_bench_is_told(stage: WebStage) -> None:
    bench = (await asked(stage, "/api/v1/bench")).json()
    assert (bench["bench"], bench["state"], bench["control"]) == ("test", "free", True)


@pytest.mark.parametrize(
    ("instruments", "simulated"),
    [
        ({"oscilloscope": SIMULATED_SCOPE_IDENTITY}, True),
        ({"oscilloscope": "KEYSIGHT TECHNOLOGIES,MSO-X 2024A,MY12345678,02.65"}, False),
        ({"power_supply": "Agilent Technologies,E3645A,0,1.7-5.0-1.0"}, None),
        ({}, None),
    ],
)
async def test_a_simulated_bench_says_so(stage: WebStage, instruments: dict[str, str], simulated: bool | None) -> None:
    stage.bench.instruments = instruments
    assert (await asked(stage, "/api/v1/bench")).json()["simulated"] is simulated


async def test_one_watcher_too_many_is_refused(stage: WebStage) -> None:
    watching = [stage.feed.watching() for _ in range(WATCHER_LIMIT)]
    for one in watching:
        one.__enter__()
    assert (await asked(stage, "/api/v1/events")).status_code == 503


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/v1/bench", "/page/none.js", "/healthz"])
async def test_everything_comes_with_the_policy(path: str) -> None:
    answer = await asked(WebStage(), path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY


@pytest.mark.parametrize("path", ["/page/../application.py", "/page/%2e%2e/application.py", "/page/uplot/LICENSE"])
async def test_only_files_of_the_page_are_served(path: str) -> None:
    assert (await asked(WebStage(), path)).status_code == 404


def test_every_part_that_a_file_names_is_there_and_is_its_own() -> None:
    named = {name for text in SCRIPTS.values() for name in re.findall(r'"/page/([^"]+)"', text)}
    assert named
    assert named <= set(page_files())


def test_no_text_becomes_markup_and_no_other_host_is_named() -> None:
    ours = {name: text for name, text in SCRIPTS.items() if not name.startswith("uplot/")}
    for name, text in ours.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), name
        assert not re.search(r"(https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text), name


def test_the_library_comes_with_its_licence() -> None:
    folder = Path(__file__).parents[4] / "daemon" / "web" / "static" / "uplot"
    assert "MIT" in (folder / "LICENSE").read_text()
    assert json.dumps((folder / "uPlot.esm.js").read_text()[:400]).count("uPlot")
