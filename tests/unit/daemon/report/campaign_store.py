"""A store with a made-up campaign of all fourteen networks, for tests of the report; nothing of it was measured."""

from pathlib import Path

import numpy as np

from daemon.report.measured_cell import SPECS
from daemon.store import Store
from runners.networks.catalogue import NETWORKS
from tests.unit.daemon.example_result import example_result, quantity

CAMPAIGN = "fourteen-1a2b"


def write_store(directory: Path, *, networks: int = 14, batch_sizes: tuple[int, ...] = (1, 4, 16)) -> None:
    """Enter runs whose time goes with the operations and whose net power is 11.8 W, give or take 2 %."""
    rng = np.random.default_rng(7)
    cells = [(spec, size) for spec in NETWORKS[:networks] for size in batch_sizes]
    with Store(f"sqlite:///{directory / 'joulebench.sqlite'}") as store:
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
    store.record_finished(
        run_id, {"memory": {"peak_process_bytes": 200_000_000 + int(5.2 * SPECS[network].params) + 20_000_000 * size}}
    )
    gross_w = net_w + 1.3
    changes = {
        "board": "made-up", "network": network, "batch_size": size, "quality": quality, "image_duration_s": image_s,
        "images_per_s": 1 / image_s, "gross_energy_per_image_j": quantity(gross_w * image_s, 0.02 * gross_w * image_s),
        "net_energy_per_image_j": quantity(net_w * image_s, 0.02 * net_w * image_s),
        "mean_power_w": quantity(gross_w, 0.02 * gross_w), "idle_power_w": quantity(1.3, 0.03),
    }  # fmt: skip
    reasons = {} if quality != "valid" else {"reasons": []}
    store.add_result(example_result(run_id=run_id, result_id=f"{run_id}-r") | changes | reasons)
    store.record(run_id, event="analysed", state="done")
