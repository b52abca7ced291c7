"""Manifests: read back as written, refused where changed, and never naming what lies outside of the backup."""

import dataclasses
import json
from hashlib import sha256
from pathlib import Path

import pytest

from daemon.backup.manifest import NAME, BackupFile, Lack, Manifest, read_manifest, refuse_outside, write_manifest
from daemon.errors import BackupError

MANIFEST = Manifest(
    made_utc_ns=1, bench="desk", software_version="0", schema_revision="0006", database="database.sqlite",
    shared_database=False, files=(BackupFile(path="captures/a.parquet", sha256="0" * 64, size_bytes=1),),
    lacking=(Lack(path="captures/b.parquet", text="is not there"),),
)  # fmt: skip
OUTSIDE = ["../a", "captures/../../a", "/etc/passwd", "", "captures/..", "..\\a", "captures/a\0"]


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST)
    assert read_manifest(tmp_path) == MANIFEST


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST)
    path = tmp_path / NAME
    path.write_text(path.read_text().replace("desk", "task"))
    with pytest.raises(BackupError, match="was changed after it was written"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_backup(path: str) -> None:
    with pytest.raises(BackupError, match="is no path inside a backup"):
        BackupFile(path=path, sha256="", size_bytes=0)


@pytest.mark.parametrize("path", ["database.sqlite", "captures/run-1_0.parquet", "captures/a..b.parquet"])
def test_paths_inside_are_taken(path: str) -> None:
    refuse_outside(path)


def test_a_manifest_that_names_what_lies_outside_is_refused_though_its_checksum_is_right(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST)
    path = tmp_path / NAME
    document = json.loads(path.read_text())
    document["manifest"]["files"][0]["path"] = "captures/../../secret"
    content = json.dumps(document["manifest"], sort_keys=True).encode()
    path.write_text(json.dumps(document | {"sha256": sha256(content).hexdigest()}))
    with pytest.raises(BackupError, match=r"secret' is no path inside a backup"):
        read_manifest(tmp_path)


def test_a_manifest_counts_its_bytes() -> None:
    more = dataclasses.replace(MANIFEST, files=(*MANIFEST.files, BackupFile(path="b", sha256="", size_bytes=2)))
    assert more.size_bytes == 3
    assert set(more.by_path) == {"captures/a.parquet", "b"}
