"""Readiness: which certificates a run would use now, and where that keeps it from being run."""

from dataclasses import replace
from pathlib import Path

import pytest

from calibration.store import CertificateStore
from daemon import readiness
from daemon.database_status import database_status
from daemon.errors import StoreError
from daemon.readiness import Finding, _store, alarm_findings, certificate_findings
from daemon.sections.application import MqttSection
from daemon.sections.storage import MissingCertificate
from daemon.store import Store
from daemon.supply_alarm import Alarm, AlarmFile
from tests.unit.calibration.example_certificate import certificate
from tests.unit.daemon.old_databases import restore
from tests.unit.daemon.test_accuracy import DELAY, LEAD, NOW_NS, OTHER_SCOPE, of_scope, zero
from tests.unit.daemon.test_measurement import configuration


def findings(folder: Path, *stored: object, missing: str = "degrade", **identities: str) -> dict[str, Finding]:
    store = CertificateStore(folder / "certificates")
    for one in stored:
        store.add(one)  # type: ignore[arg-type]
    plain = configuration(folder)
    calibration = plain.calibration.model_copy(update={"missing": MissingCertificate(missing)})
    chosen = plain.model_copy(update={"calibration": calibration})
    return {one.part: one for one in certificate_findings(chosen, identities, at_utc_ns=NOW_NS)}


def test_alarms_of_the_supply_are_told_while_they_stand(tmp_path: Path) -> None:
    bench = configuration(tmp_path)
    assert alarm_findings(bench) == []
    alarms = AlarmFile(bench)
    alarms.add(Alarm(kind="over_voltage", text="25 V are measured", at_utc_ns=1))
    (found,) = alarm_findings(bench)
    assert (found.ok, found.text) == (False, "25 V are measured")
    assert "joulebench supply acknowledge" in found.remedy
    assert alarms.acknowledge(alarms.standing())
    assert alarm_findings(bench) == []


def test_those_that_a_run_would_use(tmp_path: Path) -> None:
    found = findings(tmp_path, certificate(), zero(), LEAD, DELAY, missing="reject")
    assert {part: one.text.partition(",")[0] for part, one in found.items()} == {
        "certificate: gain": "one",
        "certificate: zero": "zero-1",
        "certificate: lead": "lead-1",
        "certificate: delay of b": "delay-1",
    }
    assert all(one.ok for one in found.values())
    assert "until 20" in found["certificate: gain"].text


@pytest.mark.parametrize(
    ("missing", "ok", "text"),
    [
        ("accept", True, "none in use; the declared limits stand"),
        ("degrade", True, "none in use; the declared limits stand, and results are `degraded`"),
        ("reject", False, "there is no certificate for these settings; calibrate the bench; calibration.missing is"),
    ],
)
def test_none_fails_where_runs_are_refused(tmp_path: Path, missing: str, ok: bool, text: str) -> None:
    found = findings(tmp_path, missing=missing)
    assert found["certificate: gain"].ok is ok
    assert found["certificate: gain"].text.startswith(text)
    assert found["certificate: zero"].ok
    assert found["certificate: zero"].text == "none in use; the declared limits stand", "and nothing to do about it"


def test_another_instrument_is_told(tmp_path: Path) -> None:
    found = findings(tmp_path, of_scope(certificate()), **OTHER_SCOPE)
    assert "calibration_mismatch" in found["certificate: gain"].text
    assert "MY2" in found["certificate: gain"].text


def test_a_certificate_of_another_instrument_degrades_wherever_none_would_do(tmp_path: Path) -> None:
    found = findings(tmp_path, of_scope(certificate()), missing="accept", **OTHER_SCOPE)
    assert found["certificate: gain"].ok
    assert "and results are `degraded` (calibration_mismatch: " in found["certificate: gain"].text


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = CertificateStore(tmp_path / "certificates").add(replace(certificate()))
    path.write_text(path.read_text().replace("1.0123", "1.0000"))
    (found,) = findings(tmp_path).values()
    assert not found.ok
    assert "one.json" in found.text


def test_a_database_that_is_not_there_yet_is_told_of_and_not_made(tmp_path: Path) -> None:
    """What check had made, restore would have refused to overwrite."""
    plain = configuration(tmp_path / "new")
    assert _store(plain).endswith("is not there yet: the daemon makes it when it first starts")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_no_database_can_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be made: .*file is no folder to write in"):
        _store(configuration(tmp_path / "file"))


def test_an_old_database_is_told_of_and_not_changed(tmp_path: Path) -> None:
    plain = configuration(tmp_path)
    restore(3, plain.storage.url, None)

    told = _store(plain)

    assert "tables of revision 0003: the daemon upgrades them when it starts, after a copy" in told
    assert database_status(plain.storage.url).held == "0003"
    Store(plain.storage.url).close()
    assert "3 runs" in _store(plain)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (MqttSection(), ""),
        (MqttSection(host="lab-pc"), "not encrypted: the network between can read"),
        (MqttSection(host="lab-pc", ca_file=Path("ca.crt")), ", encrypted"),
    ],
)
def test_who_can_read_on_the_way_to_the_broker_is_said(section: MqttSection, words: str) -> None:
    found = readiness._on_the_way(section)
    assert words in found
    assert bool(found) == bool(words)
