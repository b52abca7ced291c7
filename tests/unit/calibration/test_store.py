"""The store of certificates on a real disk."""

import errno
import os
from pathlib import Path

import pytest

from calibration.chain_certificate import ChainCertificate
from calibration.errors import CalibrationError, CertificateExists, CertificateFileError
from calibration.selection import SelectionOutcome
from calibration.store import CertificateStore
from tests.unit.calibration.example_certificate import CERTIFICATE, CIRCUMSTANCES, DAY_NS, MADE_NS, certificate


@pytest.fixture
def store(tmp_path: Path) -> CertificateStore:
    return CertificateStore(tmp_path / "certificates")


def files(store: CertificateStore) -> list[str]:
    return sorted(path.name for path in store.directory.iterdir())


def test_what_is_added_is_read_again(store: CertificateStore) -> None:
    path = store.add(CERTIFICATE)
    assert path == store.directory / "bench1-2026-05.json"
    assert store.read("bench1-2026-05") == CERTIFICATE
    assert files(store) == ["bench1-2026-05.json"]


def test_all_of_them_the_newest_first(store: CertificateStore) -> None:
    added = [certificate("b", day=1), certificate("c", day=3), certificate("a", day=2)]
    for one in added:
        store.add(one)
    assert [one.certificate_id for one in store.certificates()] == ["c", "a", "b"]


def test_an_empty_or_absent_folder_holds_none(store: CertificateStore) -> None:
    assert store.certificates() == ()
    store.directory.mkdir()
    assert store.certificates() == ()
    assert store.select(ChainCertificate, CIRCUMSTANCES, at_utc_ns=MADE_NS).outcome is SelectionOutcome.MISSING


def test_none_is_ever_overwritten(store: CertificateStore) -> None:
    store.add(certificate("one"))
    with pytest.raises(CertificateExists, match="never overwritten"):
        store.add(certificate("one", day=7))
    assert store.read("one") == certificate("one")
    assert files(store) == ["one.json"]


def test_selects_the_newest_that_fits_and_holds(store: CertificateStore) -> None:
    for one in (certificate("old"), certificate("new", day=5), certificate("later", day=20)):
        store.add(one)
    selection = store.select(ChainCertificate, CIRCUMSTANCES, at_utc_ns=MADE_NS + 10 * DAY_NS)
    assert selection.certificate == certificate("new", day=5)


def test_a_tampered_file_is_refused_and_not_passed_over(store: CertificateStore) -> None:
    store.add(certificate("old"))
    path = store.add(certificate("new", day=5))
    path.write_text(path.read_text().replace("1.0123", "1.0000"))
    with pytest.raises(CertificateFileError, match=r"new\.json: was changed after it was written") as caught:
        store.select(ChainCertificate, CIRCUMSTANCES, at_utc_ns=MADE_NS + 10 * DAY_NS)
    assert caught.value.path == path
    assert store.read("old") == certificate("old")


def test_a_truncated_file_is_refused(store: CertificateStore) -> None:
    path = store.add(certificate("one"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CertificateFileError, match=r"one\.json: is not JSON"):
        store.certificates()


def test_a_renamed_file_is_refused(store: CertificateStore) -> None:
    store.add(certificate("one")).rename(store.directory / "two.json")
    with pytest.raises(CertificateFileError, match="holds certificate 'one'"):
        store.certificates()


def test_a_missing_certificate(store: CertificateStore) -> None:
    with pytest.raises(CertificateFileError, match=r"nobody\.json: there is no such certificate"):
        store.read("nobody")


def test_a_crash_before_the_end_leaves_nothing_to_be_read(
    store: CertificateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CertificateFileError, match=r"one\.json: No space left"):
        store.add(certificate("one"))
    assert files(store) == []


def test_what_a_killed_writer_left_behind_is_no_certificate(store: CertificateStore) -> None:
    store.add(certificate("one"))
    (store.directory / ".two-0123.tmp").write_text('{"format": "joule')
    assert [one.certificate_id for one in store.certificates()] == ["one"]


def test_content_is_synced_before_it_gets_its_name(store: CertificateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[bool] = []
    fsync = os.fsync

    def watching(handle: int) -> None:
        named.append((store.directory / "one.json").exists())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watching)
    store.add(certificate("one"))
    assert named == [False, True]  # the file before its name, the folder after


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = CertificateStore(tmp_path / "file" / "certificates")
    with pytest.raises(CalibrationError, match=r"one\.json"):
        store.add(certificate("one"))
