"""Simulation: whatever still tells that a bench was simulated is heard, and where nothing does, that is said."""

from pathlib import Path

import pytest

from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.report.material import Material, read_material
from daemon.report.statements import mark_of, warning_of
from daemon.store import Store
from instruments.simulated.scope_dialect import SCOPE_IDENTITY
from tests.unit.calibration.example_certificate import CERTIFICATE, certificate
from tests.unit.daemon.report.campaign_store import CAMPAIGN, add_capture, add_cell, write_store

FIRST = f"{CAMPAIGN}-0001-1"


def material_of(directory: Path) -> Material:
    with Store(f"sqlite:///{directory / 'joulebench.sqlite'}") as store:
        return read_material(
            store,
            title="t",
            files=CaptureFiles(directory / "captures"),
            certificates=CertificateStore(directory / "certificates"),
        )


def remove_captures(directory: Path) -> None:
    for path in (directory / "captures").iterdir():
        path.unlink()


@pytest.mark.parametrize(("bench", "simulated"), [("simulated", True), ("demo", True), ("bench-1", None)])
def test_without_a_capture_the_benchs_name_tells_or_nothing_does(
    tmp_path: Path, bench: str, simulated: bool | None
) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,), bench=bench)
    add_capture(tmp_path, FIRST, identity=SCOPE_IDENTITY)
    assert material_of(tmp_path).provenance.simulated is True
    remove_captures(tmp_path)
    material = material_of(tmp_path)
    assert material.provenance.simulated is simulated
    assert ("SIMULATED" if simulated else "NOT KNOWN") in str(warning_of(material))
    assert mark_of(material) == ("simulated bench" if simulated else "not known whether simulated")


@pytest.mark.parametrize(("identity", "simulated"), [(SCOPE_IDENTITY, True), ("Lab scope,1", False)])
def test_the_certificate_that_a_result_used_tells_too(tmp_path: Path, identity: str, simulated: bool) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,), bench="bench-1")
    made_with = CERTIFICATE.provenance.__class__(
        procedure="current-chain", made_by="me", software_version="0.1.0", instruments={"oscilloscope": identity}
    )
    CertificateStore(tmp_path / "certificates").add(certificate("mine", provenance=made_with))
    with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}") as store:
        result = store.latest_result(FIRST)
        assert result is not None
        again = {**result.document, "result_id": "again", "certificate_ids": ["mine"]}
        store.add_result(again | {"at_utc_ns": again["at_utc_ns"] + 1})
    assert material_of(tmp_path).provenance.simulated is simulated


def test_a_real_oscilloscope_stands_above_the_benchs_name(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,), bench="simulated")
    add_capture(tmp_path, FIRST)
    material = material_of(tmp_path)
    assert (material.provenance.simulated, warning_of(material), mark_of(material)) == (False, None, "")


def test_one_bench_of_two_that_nothing_tells_of_leaves_it_open(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,), bench="bench-1")
    add_capture(tmp_path, FIRST)
    with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}", bench="bench-2") as store:
        add_cell(store, "other", "enet", 1, 0.1, 10.0, "valid")
    assert material_of(tmp_path).provenance.simulated is None


def test_an_imported_run_is_no_simulated_one_with_or_without_its_capture(tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}", bench="imports") as store:
        add_cell(store, "with", "enet", 1, 0.1, 10.0, "valid")
        add_cell(store, "without", "vgg16", 1, 0.1, 10.0, "valid")
        store.record("without", event="imported", state="done", detail={"file": "x.jls"})
    add_capture(tmp_path, "with", identity="JS220", recording={"identity": "JS220"})
    assert material_of(tmp_path).provenance.simulated is False
