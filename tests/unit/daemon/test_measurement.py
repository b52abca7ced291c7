"""Measurement: a result is computed from what is stored, and the same stored capture gives the same bits."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calibration.store import CertificateStore
from daemon.bench_keeper import Record
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration
from daemon.errors import CaptureFileError, StoreError
from daemon.measurement import Measurement, capture_id_of, facts_of
from daemon.sections.storage import MissingCertificate
from daemon.store import Store
from metrology.capture import Capture
from metrology.supply import SupplyConditions
from tests.unit.calibration.example_certificate import certificate
from tests.unit.calibration.test_kinds import DELAY
from tests.unit.metrology.captures import capture_of

PULSES = [(10_000 + 10_000 * k, 19_990 + 10_000 * k) for k in range(8)]
REPORT = {"v": 1, "finished_utc_ns": 5, "images": 32, "batches": 8, "batch_duration_median_ns": 199_800_000}
SOUND = SupplyConditions(
    idle_voltage_v=19.0, loaded_voltage_v=19.0, constant_voltage=True, tripped=False, output_on=True
)


def configuration(folder: Path) -> Configuration:
    sections: dict[str, Any] = {
        "bench": {"name": "b"},
        "oscilloscope": {
            "resource": "TCPIP0::h::5025::SOCKET",
            "current_scale_a_per_div": 0.2,
            "current_offset_a": 0.5,
        },
        "power_supply": {"resource": "GPIB0::5::INSTR", "max_voltage_v": 20.0, "max_current_a": 2.2},
        "storage": {"directory": folder},
        "calibration": {"directory": folder / "certificates", "missing": "accept"},
    }
    return Configuration(**sections)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'runs.sqlite'}")


@pytest.fixture
def files(tmp_path: Path) -> CaptureFiles:
    return CaptureFiles(tmp_path / "captures")


@pytest.fixture
def measurement(tmp_path: Path, store: Store, files: CaptureFiles) -> Measurement:
    return Measurement(configuration(tmp_path), store, files, version="9.9")


def measured_run(measurement: Measurement, store: Store, run_id: str = "r") -> None:
    run_of(measurement, store, capture_of(PULSES), run_id=run_id)


def run_of(
    measurement: Measurement,
    store: Store,
    capture: Capture,
    *,
    run_id: str = "r",
    sync: tuple[str, ...] = ("marker",),
) -> None:
    store.create_run(
        run_id=run_id, board="b", network="alexnet", batch_size=4, precision="fp32",
        images_planned=None, captures=1, sync=sync, backend="onnx-cpu",
    )  # fmt: skip
    measurement.keep(run_id, 0, Record(capture, SOUND, 0))
    store.record_finished(run_id, REPORT)


def test_a_stored_capture_gives_the_same_bits_again(measurement: Measurement, store: Store) -> None:
    measured_run(measurement, store)
    first, second = measurement.result("r"), measurement.result("r")
    assert first.quality == "valid"
    assert first.result_id != second.result_id
    changing = {"result_id", "at_utc_ns"}
    assert first.model_dump(exclude=changing) == second.model_dump(exclude=changing)
    assert len(store.results("r")) == 2


def test_the_result_says_where_it_comes_from(measurement: Measurement, store: Store) -> None:
    measured_run(measurement, store)
    result = measurement.result("r")
    assert result.capture_ids == ("r-0",)
    assert result.software_version == "9.9"
    assert result.sync == "marker"
    assert result.backend == "onnx-cpu"
    assert result.budget
    assert sum(term.share for term in result.budget) == pytest.approx(1.0)
    assert result.gross_energy_per_image_j is not None
    power_w = (19.0 - 0.05 * 0.7) * 0.7
    assert result.gross_energy_per_image_j.value == pytest.approx(power_w * 0.2 / 4, rel=1e-3)


def test_a_damaged_file_is_no_result(measurement: Measurement, store: Store, files: CaptureFiles) -> None:
    measured_run(measurement, store)
    path = files.path("r-0.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(CaptureFileError, match=r"r-0\.parquet"):
        measurement.result("r")
    assert store.results("r") == []


def test_an_unfinished_or_unknown_run_has_no_result(measurement: Measurement, store: Store) -> None:
    with pytest.raises(StoreError, match="no such run"):
        measurement.result("nobody")
    store.create_run(
        run_id="half", board="b", network="alexnet", batch_size=4, precision="fp32", images_planned=None, captures=1
    )
    with pytest.raises(StoreError, match="not finished"):
        measurement.result("half")


def test_facts_of_a_board_that_timed_nothing(measurement: Measurement, store: Store) -> None:
    measured_run(measurement, store)
    run = store.run("r")
    assert run is not None
    bare = replace(run, finished={"v": 1, "finished_utc_ns": 5, "images": 32, "batches": 8})
    facts = facts_of(bare)
    assert (facts.batch_duration_s, facts.run_duration_s) == (None, None)
    timed = replace(run, finished=REPORT | {"started_monotonic_ns": 10, "finished_monotonic_ns": 10 + 1_600_000_000})
    assert facts_of(timed).run_duration_s == pytest.approx(1.6)


@pytest.mark.parametrize("run_id", ["short", "x" * 62, "y" * 64])
def test_capture_identifiers_fit_the_contract_and_differ(run_id: str) -> None:
    names = {capture_id_of(run_id, index) for index in range(1000)}
    assert len(names) == 1000
    assert max(map(len, names)) <= 64
    assert capture_id_of("z" * 64, 0) != capture_id_of("z" * 63 + "a", 0)


@pytest.mark.parametrize(("missing", "quality"), [("accept", "valid"), ("degrade", "degraded")])
def test_what_no_certificate_does_is_the_configurations_choice(
    tmp_path: Path, store: Store, files: CaptureFiles, missing: str, quality: str
) -> None:
    base = configuration(tmp_path)
    chosen = base.model_copy(
        update={"calibration": base.calibration.model_copy(update={"missing": MissingCertificate(missing)})}
    )
    measurement = Measurement(chosen, store, files, version="9.9")
    measured_run(measurement, store)
    result = measurement.result("r")
    assert result.quality == quality
    assert [reason.code for reason in result.reasons] == ([] if missing == "accept" else ["calibration_missing"])


def test_a_certificate_of_another_oscilloscope_is_told_by_the_captures_own(
    tmp_path: Path, measurement: Measurement, store: Store
) -> None:
    provenance = replace(certificate().provenance, instruments={"oscilloscope": "certified"})
    CertificateStore(tmp_path / "certificates").add(certificate(lasting_days=100_000, provenance=provenance))
    run_of(measurement, store, replace(capture_of(PULSES), instruments={"oscilloscope": "measured"}))
    (reason,) = measurement.result("r").reasons
    assert reason.code == "calibration_mismatch"
    assert "oscilloscope is 'measured', not 'certified'" in reason.text


@pytest.mark.parametrize(("sync", "told"), [(("marker", "clock"), True), (("clock",), False)])
def test_the_markers_delay_matters_where_a_marker_is_offered(
    tmp_path: Path, measurement: Measurement, store: Store, sync: tuple[str, ...], told: bool
) -> None:
    conditions = replace(certificate().conditions, channel=2)
    delay = replace(DELAY, conditions=conditions, valid_until_utc_ns=2 * time.time_ns())
    CertificateStore(tmp_path / "certificates").add(replace(delay, board="b"))
    run_of(measurement, store, capture_of(PULSES), sync=sync)
    assert ("calibration_mismatch" in [one.code for one in measurement.result("r").reasons]) is told


def test_windows_are_placed_again_by_the_certificates_of_the_result(
    measurement: Measurement, store: Store, tmp_path: Path
) -> None:
    """A certificate of the marker's delay that came later moves no window of an earlier result."""
    measured_run(measurement, store)
    measurement.result("r")
    before = store.latest_result("r")
    (one,) = store.captures("r")
    assert before is not None
    plain = measurement.placement(before, one)
    later = replace(DELAY, board="b", valid_until_utc_ns=2 * time.time_ns())
    CertificateStore(tmp_path / "certificates").add(later)
    measurement.result("r", certificates=[later.certificate_id])
    after = store.latest_result("r")
    assert after is not None
    assert measurement.placement(before, one) == plain
    moved_s = measurement.placement(after, one).reading.pulses[0].start_s - plain.reading.pulses[0].start_s
    assert moved_s == pytest.approx(later.rise_delay_s.value)
    assert moved_s != 0


def test_a_run_that_is_not_finished_has_no_windows_to_place(measurement: Measurement, store: Store) -> None:
    measured_run(measurement, store)
    measurement.result("r")
    result, (one,) = store.latest_result("r"), store.captures("r")
    assert result is not None
    with pytest.raises(StoreError, match="no such run"):
        measurement.placement(replace(result, run_id="other"), one)
