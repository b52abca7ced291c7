"""Surroundings: what is wrong with disk, database and certificates is found; a look that hangs is no good news."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.errors import StoreError
from daemon.health import surroundings as module
from daemon.health.surroundings import CERTIFICATES_PERIOD_S, FOLDER_PERIOD_S, OVERDUE, STALE_S, Surroundings
from daemon.metrics import Metrics
from daemon.sections.storage import MissingCertificate
from daemon.store import Store
from daemon.supply_alarm import Alarm, AlarmFile
from tests.unit.calibration.example_certificate import certificate
from tests.unit.daemon.metrics.hand_time import HandTime
from tests.unit.daemon.test_measurement import configuration


class Place:
    """Surroundings in a folder, with a clock by hand."""

    def __init__(self, folder: Path, *, missing: str = "degrade", min_free_bytes: int = 1000) -> None:
        plain = configuration(folder)
        self.configuration = plain.model_copy(
            update={
                "calibration": plain.calibration.model_copy(update={"missing": MissingCertificate(missing)}),
                "storage": plain.storage.model_copy(update={"min_free_bytes": min_free_bytes}),
            }
        )
        self.clock, self.metrics, self.busy = HandTime(), Metrics(), False
        self.store = Store(self.configuration.storage.url)
        self.files = CaptureFiles(self.configuration.storage.captures_directory)
        self.surroundings = Surroundings(
            self.configuration,
            self.store,
            self.files,
            self.metrics,
            is_busy=lambda: self.busy,
            monotonic_s=self.clock,
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"joulebench_{name}", labels)


def test_nothing_is_fine_before_the_first_look(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert not place.surroundings.finding("disk").ok
    place.surroundings.look()
    assert [place.surroundings.finding(name).ok for name in ("disk", "journal", "calibration")] == [True] * 3
    assert place.value("disk_free_bytes") > 1000  # type: ignore[operator]


def test_a_disk_with_too_little_space_is_not_ready(tmp_path: Path) -> None:
    place = Place(tmp_path, min_free_bytes=10**18)
    place.surroundings.look()
    finding = place.surroundings.finding("disk")
    assert not finding.ok
    assert "storage.min_free_bytes" in finding.text
    assert "make room" in finding.remedy
    assert place.value("disk_needed_bytes") == 1e18


def test_what_is_needed_follows_a_reload(tmp_path: Path) -> None:
    place, other = Place(tmp_path), Place(tmp_path, missing="reject", min_free_bytes=10**18)
    place.surroundings.look()
    place.surroundings.adopt(other.configuration)
    place.surroundings.look()
    assert [place.surroundings.finding(name).ok for name in ("disk", "calibration")] == [False, False]


def test_a_journal_that_takes_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path)

    def refuse() -> None:
        raise StoreError("cannot write the journal: database is locked")

    monkeypatch.setattr(place.store, "check_writable", refuse)
    place.surroundings.look()
    finding = place.surroundings.finding("journal")
    assert (finding.ok, finding.text) == (False, "cannot write the journal: database is locked")


@pytest.mark.parametrize(("missing", "ok"), [("accept", True), ("degrade", True), ("reject", False)])
def test_calibration_is_as_the_configuration_asks(tmp_path: Path, missing: str, ok: bool) -> None:
    place = Place(tmp_path, missing=missing)
    place.surroundings.look()
    finding = place.surroundings.finding("calibration")
    assert finding.ok is ok
    assert bool(finding.remedy) is not ok
    assert place.value("calibration_usable", kind="gain") == 0


def test_a_certificate_is_seen_within_its_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, missing="reject")
    monkeypatch.setattr(module.time, "time_ns", lambda: certificate().made_utc_ns + 10**9)
    place.surroundings.look()
    CertificateStore(place.configuration.calibration.directory).add(certificate())
    place.clock.goes(CERTIFICATES_PERIOD_S - 1)
    place.surroundings.look()
    assert not place.surroundings.finding("calibration").ok, "not looked at again yet"
    place.clock.goes(1)
    place.surroundings.look()
    assert place.surroundings.finding("calibration").ok
    assert place.value("calibration_age_seconds", kind="gain") == pytest.approx(1.0)
    assert place.value("calibration_remaining_seconds", kind="gain") == pytest.approx(30 * 86400 - 1)


def test_other_instruments_have_the_certificates_looked_at_again(tmp_path: Path) -> None:
    place, looks = Place(tmp_path), []
    place.surroundings._certificates = lambda: looks.append(1)  # type: ignore[method-assign, assignment, func-returns-value]
    place.surroundings.take_identities({"oscilloscope": "KEYSIGHT,A,1,2"})
    place.surroundings.look()
    place.surroundings.take_identities({})
    place.surroundings.take_identities({"oscilloscope": "KEYSIGHT,A,1,2"})
    place.surroundings.look()
    assert len(looks) == 1, "lost and found again, it is the same"
    place.surroundings.take_identities({"oscilloscope": "KEYSIGHT,A,9,2"})
    place.surroundings.look()
    assert len(looks) == 2


def test_many_files_are_not_read_during_a_run_unless_overdue(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.surroundings.look()
    place.files.directory.mkdir(parents=True, exist_ok=True)
    (place.files.directory / "one.parquet").write_bytes(b"x" * 77)
    place.busy = True
    place.clock.goes(FOLDER_PERIOD_S + 1)
    place.surroundings.look()
    assert place.value("captures_files") == 0
    place.clock.goes(FOLDER_PERIOD_S * OVERDUE)
    place.surroundings.look()
    assert (place.value("captures_files"), place.value("captures_bytes")) == (1, 77)


def test_a_look_that_does_not_end_tells_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.surroundings.look()
    place.clock.goes(STALE_S + 1)
    finding = place.surroundings.finding("calibration")
    assert not finding.ok
    assert "61 s ago" in finding.text


def test_a_look_that_breaks_is_a_finding(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = Place(tmp_path)
    place.surroundings._disk = lambda: 1 // 0  # type: ignore[method-assign, assignment, return-value]
    place.surroundings.look()
    assert "ZeroDivisionError" in place.surroundings.finding("disk").text
    assert place.surroundings.finding("journal").ok, "the others are looked at all the same"
    assert "disk could not be looked at" in caplog.text


async def test_a_disk_that_hangs_does_not_hold_the_daemon_up(tmp_path: Path) -> None:
    place, hangs, reached = Place(tmp_path), threading.Event(), threading.Event()

    def look() -> Any:
        reached.set()
        assert hangs.wait(60)

    place.surroundings.look = look  # type: ignore[method-assign]
    task = asyncio.create_task(place.surroundings.run())
    assert await asyncio.to_thread(reached.wait, 60)
    task.cancel()
    await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 30)
    assert not hangs.is_set(), "it ended while the disk still hung"
    hangs.set()


def test_a_standing_alarm_and_a_dry_run_keep_runs_away_and_are_told(tmp_path: Path) -> None:
    """Either way each run is rejected: a bench that says it is ready would be believed."""
    place = Place(tmp_path)
    place.surroundings.look()
    assert place.surroundings.finding("safety").ok
    file = AlarmFile(place.configuration)
    file.add(Alarm(kind="over_voltage", text="the supply tripped at 21 V", at_utc_ns=1))
    place.surroundings.look()
    found = place.surroundings.finding("safety")
    assert (found.ok, found.text) == (False, "no run is taken: the supply tripped at 21 V")
    assert "joulebench supply acknowledge" in found.remedy
    assert file.acknowledge(file.standing())
    place.surroundings.look()
    assert place.surroundings.finding("safety").ok
    dry = place.configuration.safety.model_copy(update={"dry_run": True})
    place.surroundings.adopt(place.configuration.model_copy(update={"safety": dry}))
    place.surroundings.look()
    assert "dry run" in place.surroundings.finding("safety").text
