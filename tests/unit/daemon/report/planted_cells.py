"""Cells of networks with planted power, time and energy, for tests of what is found in them."""

from collections.abc import Sequence

import numpy as np

from daemon.report.measured_cell import SPECS, MeasuredCell
from daemon.report.result_values import Interval

NAMES = tuple(SPECS)
OPERATIONS = np.array([float(spec.ops) for spec in SPECS.values()])


def cell(
    network: str = "alexnet",
    *,
    batch_size: int = 1,
    net_w: float = 10.0,
    own_w: float = 0.02,
    net_w_u95: float = 0.3,
    image_s: float = 0.1,
    time_u95: float = 0.001,
    gross_j: float = 1.0,
    own_j: float = 0.001,
) -> MeasuredCell:
    """One cell; the uncertainties of time and energy are fractions."""
    return MeasuredCell(
        network=network, batch_size=batch_size, board="planted", precision="fp32", backend="none",
        bench="", recorder="", run_ids=(f"{network}-{batch_size}",), degraded_runs=0, reasons={},
        gross_j=Interval(value=gross_j, u95=0.1 * gross_j), own_gross_j=own_j * gross_j,
        net_j=Interval(value=net_w * image_s, u95=0.1 * net_w * image_s),
        power_w=Interval(value=net_w + 1.3, u95=0.1), idle_w=Interval(value=1.3, u95=0.1),
        net_power_w=Interval(value=net_w, u95=net_w_u95), own_net_power_w=own_w,
        image_s=Interval(value=image_s, u95=time_u95 * image_s), memory_bytes=500_000_000,
    )  # fmt: skip


def powers(by_network: Sequence[float], *, by_batch: Sequence[float] = (1.0, 1.0, 1.0), own_w: float = 0.02) -> list:
    """Cells of as many networks and batch sizes, their net power 10 W times both factors, give or take `own_w`."""
    rng = np.random.default_rng(4)
    return [
        cell(name, batch_size=2**k, net_w=10.0 * factor * batch + float(rng.normal(scale=own_w)), own_w=own_w)
        for name, factor in zip(NAMES, by_network, strict=False)
        for k, batch in enumerate(by_batch)
    ]
