"""A store with a made-up campaign of all fourteen networks, for tests of the report; nothing of it was measured."""

from pathlib import Path
from typing import Any

import numpy as np

from daemon.capture_facts import RECORDING_KEY
from daemon.captures import CaptureFiles
from daemon.report.measured_cell import SPECS
from daemon.store import Store
from metrology.capture import Capture
from metrology.timebase import TimeBase
from metrology.trace import Scale, Trace, Unit
from runners.networks.catalogue import NETWORKS
from tests.unit.daemon.example_result import example_result, quantity

CAMPAIGN = "fourteen-1a2b"
RIPPLE_HZ = 1400.0
TERMS = [
    {"term": name, "quantity": unit, "standard_uncertainty_j": 0.0, "share": share, "source": "made up", "common":
    common} for name, unit, share, common in (
        ("probe gain", "gain (1)", 0.5, "probe"), ("probe zero", "zero (A)", 0.3, "zero"),
        ("repeatability over batches", "energy (J)", 0.2, None),
    )
]  # fmt: skip


def write_store(
    directory: Path, *, networks: int = 14, batch_sizes: tuple[int, ...] = (1, 4, 16), bench: str = ""
) -> None:
    """Enter runs whose time goes with the operations and whose net power is 11.8 W, give or take 2 %."""
    rng = np.random.default_rng(7)
    cells = [(spec, size) for spec in NETWORKS[:networks] for size in batch_sizes]
    with Store(f"sqlite:///{directory / 'joulebench.sqlite'}", bench=bench) as store:
        for number, (spec, size) in enumerate(cells, start=1):
            image_s = 2e-12 * spec.ops * (0.6 + 0.4 / size) + 2e-3
            power_w = 11.8 * (1 + 0.02 * rng.standard_normal())
            quality = "degraded" if number == 5 else "valid"
            add_cell(store, f"{CAMPAIGN}-{number:04d}-1", spec.name, size, image_s, power_w, quality)
        add_cell(store, f"{CAMPAIGN}-9999-1", "enet", 1, 0.5, 400.0, "invalid")


def add_cell(store: Store, run_id: str, network: str, size: int, image_s: float, net_w: float, quality: str) -> None:
    store.create_run(
        run_id=run_id, board="made-up", network=network, batch_size=size, precision="fp32",
        images_planned=None, captures=1,
    )  # fmt: skip
    for state in ("armed", "captured", "analysing"):
        store.record(run_id, event=state, state=state)
    params = SPECS[network].params if network in SPECS else 0
    store.record_finished(
        run_id, {"memory": {"peak_process_bytes": 200_000_000 + int(5.2 * params) + 20_000_000 * size}}
    )
    gross_w = net_w + 1.3
    gross_j = gross_w * image_s
    budget = [term | {"standard_uncertainty_j": 0.01 * gross_j * term["share"] ** 0.5} for term in TERMS]
    changes = {
        "board": "made-up", "network": network, "batch_size": size, "quality": quality, "image_duration_s": image_s,
        "images_per_s": 1 / image_s, "gross_energy_per_image_j": quantity(gross_j, 0.02 * gross_j),
        "net_energy_per_image_j": quantity(net_w * image_s, 0.02 * net_w * image_s),
        "mean_power_w": quantity(gross_w, 0.02 * gross_w), "idle_power_w": quantity(1.3, 0.03), "budget": budget,
    }  # fmt: skip
    reasons = {"reasons": []} if quality == "valid" else {}
    store.add_result(example_result(run_id=run_id, result_id=f"{run_id}-r") | changes | reasons)
    store.record(run_id, event="analysed", state="done")


def add_capture(
    directory: Path,
    run_id: str,
    *,
    identity: str = "Lab scope,1",
    seed: int = 1,
    marker: bool = True,
    recording: dict[str, Any] | None = None,
) -> None:
    """Keep a record of a run: 20 ms batches with ripple inside, as the bench writes it."""
    rng, count, interval_s = np.random.default_rng(seed), 50_000, 2e-5
    times_s = interval_s * np.arange(count)
    loaded = (times_s % 0.021 < 0.02) & (times_s > 0.1)
    current_a = (
        0.15 + 0.5 * loaded + 0.004 * np.sin(2 * np.pi * RIPPLE_HZ * times_s) + rng.normal(scale=0.003, size=count)
    )
    scale = Scale(increment=2e-5, origin=0.0, reference_counts=0)
    capture = Capture(
        time_base=TimeBase(origin_s=-0.1, interval_s=interval_s, sample_count=count),
        current=Trace(
            counts=np.round(current_a / 2e-5).astype(np.uint16), scale=scale, unit=Unit.AMPERE,
            clip_low_counts=0, clip_high_counts=0xFFFF,
        ),
        marker_pod_counts=loaded.astype(np.uint8) if marker else None, instruments={"oscilloscope": identity,
        "probe": "1146B"},
    )  # fmt: skip
    extra = {"conditions": {"scale_a_per_div": 0.2, "offset_a": 0.6}, "supply": {"loaded_voltage_v": 19.0}}
    extra |= {RECORDING_KEY: recording} if recording else {}
    reference = CaptureFiles(directory / "captures").write(f"{run_id}-0", capture, extra)
    with Store(f"sqlite:///{directory / 'joulebench.sqlite'}") as store:
        store.add_capture(run_id, 0, reference)
