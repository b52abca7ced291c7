"""A storage in which everything fits together, for tests that plant what does not."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from calibration.certificate import CaptureUse
from calibration.document import sha256_of
from calibration.store import CertificateStore
from daemon.captures import CaptureFiles, CaptureReference
from daemon.configuration import OwnConfiguration
from daemon.store import Store
from tests.unit.calibration.example_certificate import CERTIFICATE, certificate
from tests.unit.daemon.example_capture import example_capture
from tests.unit.daemon.example_result import example_result

BENCH = "bench-1"
RUNS = tuple(f"run-{number}" for number in range(6))
CAPTURES_OF_RUN = 2
CERTIFICATE_ID = "gain-1"
_SECOND_NS = 1_000_000_000
BEGIN_NS = 1_790_000_000 * _SECOND_NS


def configuration_of(folder: Path, **storage: Any) -> OwnConfiguration:
    return OwnConfiguration(
        bench={"name": BENCH},
        oscilloscope={"resource": "TCPIP0::h::5025::SOCKET", "current_scale_a_per_div": 0.2, "current_offset_a": 0.5},
        power_supply={"resource": "GPIB0::5::INSTR", "max_voltage_v": 20.0, "max_current_a": 2.2},
        storage={"directory": folder, "min_free_bytes": 0} | storage,
        calibration={"directory": folder / "certificates", "missing": "accept"},
    )


def store_of(folder: Path, *, create: bool = False, **storage: Any) -> Store:
    return Store(configuration_of(folder, **storage).storage.url, create=create, bench=BENCH)


def files_of(folder: Path) -> CaptureFiles:
    return CaptureFiles(configuration_of(folder).storage.captures_directory)


def write_capture(
    folder: Path, run_id: str, index: int, *, name: str | None = None, extra: dict[str, Any] | None = None
) -> CaptureReference:
    """Write a small capture file as the daemon would, without its row."""
    rng = np.random.default_rng([index, *run_id.encode()])
    facts = {"run_id": run_id, "capture_index": index} if extra is None else extra
    return files_of(folder).write(name or f"{run_id}-{index}", example_capture(rng, count=64, voltage=False), facts)


def add_run(store: Store, folder: Path, run_id: str, *, at_utc_ns: int, captures: int = CAPTURES_OF_RUN) -> None:
    """Enter a run that is done, with its captures and a result that used the certificate."""
    store.create_run(
        run_id=run_id, board="tx1", network="resnet18", batch_size=4, precision="fp32", images_planned=None,
        captures=captures, at_utc_ns=at_utc_ns,
    )  # fmt: skip
    store.record(run_id, event="armed", state="armed", at_utc_ns=at_utc_ns)
    for index in range(captures):
        store.add_capture(run_id, index, write_capture(folder, run_id, index), at_utc_ns=at_utc_ns + index)
    store.record(run_id, event="captured", state="captured", at_utc_ns=at_utc_ns)
    store.record_finished(run_id, {"v": 1, "images": 32, "batches": 8}, at_utc_ns=at_utc_ns)
    store.record(run_id, event="finished", state="analysing", at_utc_ns=at_utc_ns)
    document = example_result(run_id=run_id, result_id=f"{run_id}-result", at_utc_ns=at_utc_ns + _SECOND_NS)
    sha256 = sha256_of(CertificateStore(folder / "certificates").read(CERTIFICATE_ID))
    used = {"certificate_ids": [CERTIFICATE_ID], "certificate_sha256s": [sha256]}
    store.add_result(document | used | {"capture_ids": [f"{run_id}-{index}" for index in range(captures)]})
    store.record(run_id, event="analysed", state="done", at_utc_ns=at_utc_ns + 2 * _SECOND_NS)


def add_unfinished_run(store: Store, run_id: str, *, state: str = "armed", captures: int = CAPTURES_OF_RUN) -> None:
    """Enter a run that goes on."""
    store.create_run(
        run_id=run_id, board="tx1", network="resnet18", batch_size=4, precision="fp32", images_planned=None,
        captures=captures, at_utc_ns=BEGIN_NS,
    )  # fmt: skip
    store.record(run_id, event=state, state=state, at_utc_ns=BEGIN_NS)


def make_sound_storage(folder: Path, **storage: Any) -> Path:
    """Make a storage with runs that are done and one that was interrupted, a certificate and its raw capture."""
    reference = write_capture(folder, "calibration", 0, name=f"{CERTIFICATE_ID}-00", extra={"calibration": {}})
    use = CaptureUse(capture_id=reference.capture_id, sha256=reference.sha256)
    provenance = replace(CERTIFICATE.provenance, captures=(use,))
    CertificateStore(folder / "certificates").add(certificate(CERTIFICATE_ID, provenance=provenance))
    with store_of(folder, create=True, **storage) as store:
        for number, run_id in enumerate(RUNS):
            add_run(store, folder, run_id, at_utc_ns=BEGIN_NS + number * 3600 * _SECOND_NS)
        add_unfinished_run(store, "given-up")
        store.record("given-up", event="shutdown", state="interrupted", reason="shutdown", at_utc_ns=BEGIN_NS)
    return folder


def copy_of(sound: Path, target: Path) -> Path:
    """Copy a storage to where nothing is yet."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(sound, target)
    return target
