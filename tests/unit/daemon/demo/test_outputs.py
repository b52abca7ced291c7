"""The demonstration's table: in 80 columns whatever was measured, and nothing of it cut."""

import io

import pytest
from rich.console import Console

from daemon.demo.demonstration import DemoRun
from daemon.demo.outputs import reasons_of, table_of
from runners.messages import RunResult
from tests.unit.daemon.example_result import example_result, quantity

EXTREMES_J = [0.0, 1e-9, -3.21e-7, 0.528, 1.3472, 98765.4321, -123456.789, 6.02e23, -1e300]


def run_of(gross_j: float = 0.528, *, true_j: float = 0.527, **changes: object) -> DemoRun:
    energies = {f"{kind}_energy_per_image_j": quantity(gross_j, abs(gross_j) / 8) for kind in ("gross", "net")}
    document = example_result(run_id="r", result_id="e") | energies | changes
    return DemoRun(result=RunResult.model_validate(document), true_gross_energy_per_image_j=true_j)


def printed(*runs: DemoRun) -> list[str]:
    console = Console(width=80, file=io.StringIO())
    console.print(table_of(runs, exact=False))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("quality", ["valid", "degraded", "invalid"])
@pytest.mark.parametrize("gross_j", EXTREMES_J)
def test_it_fits_and_nothing_is_cut(gross_j: float, quality: str) -> None:
    wide = {"mean_power_w": quantity(gross_j, 1e3), "images_per_s": 1.2345e-5, "batch_size": 65536}
    lines = printed(run_of(gross_j, quality=quality, network="inception_v3", **wide), run_of())
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    (row,) = [line for line in lines if " 65536 " in line]
    assert row.rstrip().endswith(quality)
    assert len(row.split()) == 10, "no cell is folded but the network's"


def test_value_and_percent_stand_beside_each_other() -> None:
    (row,) = [line for line in printed(run_of(1.3472, true_j=1.3470)) if "resnet18" in line]
    assert row.split() == ["resnet18", "4", "1350", "12", "1350", "12", "13.20", "53.3", "+0.015%", "degraded"]


def test_a_run_without_energy_has_dashes() -> None:
    absent = {"gross_energy_per_image_j": None, "net_energy_per_image_j": None, "mean_power_w": None}
    (row,) = [line for line in printed(run_of(images_per_s=None, **absent)) if "resnet18" in line]
    assert row.split()[2:9] == ["-"] * 7


def test_reasons_stand_below_in_full() -> None:
    assert reasons_of([run_of(), run_of(reasons=[])]) == [
        "resnet18, batch 4: calibration_missing: no certificate fits [channel 1]"
    ]
