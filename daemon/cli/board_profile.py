"""`joulebench board profile`: memory and time of one network on this board, for one batch size or several."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli.board import BackendOption, Device, DeviceOption, Engine, ThreadsOption
from daemon.cli.board_torch import require_torch
from daemon.cli.completion import network_names
from daemon.cli.output_console import output_console
from daemon.cli.profile_tables import memory_table, refusal_lines, time_table
from daemon.cli.progress_line import progress_line
from runners.memory_estimate import memory_estimate
from runners.networks.catalogue import NetworkSpec, network_spec

if TYPE_CHECKING:
    from runners.batch_profile import BatchProfile
    from runners.networks.activation_memory import ActivationMemory
    from runners.profile_process import ProfileOrder, Refused

LARGEST_BATCH = 1024


def profile(
    network: Annotated[
        str, typer.Argument(metavar="NETWORK", help="Network to profile.", autocompletion=network_names)
    ],
    batch_size: Annotated[
        list[int] | None,
        typer.Option(
            "--batch-size",
            min=1,
            max=LARGEST_BATCH,
            metavar="N",
            help="Images in one batch; may be given several times. Left out: 1.",
        ),
    ] = None,
    precision: Annotated[str, typer.Option("--precision", help="Number format: fp32, fp16, bf16.")] = "fp32",
    backend: BackendOption = Engine.TORCH,
    device: DeviceOption = Device.AUTO,
    threads: ThreadsOption = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0, help="How long batches of each size are timed; a dozen at least.")
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure memory and time of a network's inference on this board, without a bench.

    What does not fit into memory is a refused row. Exit status 1: all were refused.
    """
    spec = network_spec(network)
    require_torch()
    from runners.profile_process import ProfileOrder

    orders = [
        ProfileOrder(
            network=spec.name,
            batch_size=size,
            precision=precision,
            engine=backend.value,
            device=device.value,
            threads=threads,
            seconds=seconds,
        )
        for size in dict.fromkeys(batch_size or [1])
    ]
    rows = _rows(spec, orders)
    if as_json:
        typer.echo(json.dumps({"network": spec.name, "precision": precision, "profiles": rows}, indent=2))
    else:
        console = output_console()
        for table in (memory_table(rows), time_table(rows)):
            table.title = f"{spec.display_name}, {precision}: {table.title}"
            console.print(table)
        for line in refusal_lines(rows):
            console.print(line, markup=False, highlight=False)
    if all(row["refused"] for row in rows):
        raise typer.Exit(1)


def _rows(spec: NetworkSpec, orders: "list[ProfileOrder]") -> list[dict[str, Any]]:
    from runners.profile_process import profile_in_process

    with progress_line() as tell:
        tell(f"{spec.name}: activations, from shapes alone")
        activations = _activations(spec, orders[0].precision)
        rows = []
        for number, order in enumerate(orders, 1):
            what = f"{spec.name}, batch size {order.batch_size} ({number} of {len(orders)})"
            tell(f"{what}: load, warm up, time {order.seconds:g} s")
            # The need is estimated as it was before: what is measured may leave an exported network behind.
            computed = _computed(spec, order, activations)
            rows.append(_row(order.batch_size, computed, profile_in_process(order)))
    return rows


def _activations(spec: NetworkSpec, precision: str) -> "ActivationMemory":
    """Return what the activations of one image take, from shapes alone."""
    import torch

    from runners.backends.torch_device import DTYPES
    from runners.networks.activation_memory import computed_activations
    from runners.networks.build import build_skeleton

    dtype = DTYPES.get(precision, torch.float32)  # an unknown one is refused by the back end
    image = torch.empty(1, 3, spec.input_px, spec.input_px, device="meta", dtype=dtype)
    return computed_activations(build_skeleton(spec.name).to(dtype), image)


def _row(batch_size: int, computed: dict[str, Any], found: "BatchProfile | Refused") -> dict[str, Any]:
    from runners.profile_process import Refused

    refused = asdict(found) if isinstance(found, Refused) else None
    return {
        "batch_size": batch_size,
        "computed": computed,
        "measured": None if isinstance(found, Refused) else _measured(found),
        "time": None if isinstance(found, Refused) else _time(found, batch_size),
        "refused": refused,
    }


def _computed(spec: NetworkSpec, order: "ProfileOrder", activations: "ActivationMemory") -> dict[str, Any]:
    batch_size = order.batch_size
    estimate = memory_estimate(spec, batch_size=batch_size, precision=order.precision, backend=order.engine)
    assert estimate is not None
    layers = [
        {
            "name": layer.name,
            "kind": layer.kind,
            "allocated_bytes": layer.allocated_bytes * batch_size,
            "live_bytes": layer.live_bytes * batch_size,
        }
        for layer in activations.layers
    ]
    return {
        "parameters_bytes": estimate.parameters_bytes,
        "buffers_bytes": estimate.buffers_bytes,
        "input_bytes": estimate.input_bytes,
        "activations_peak_bytes": activations.peak_bytes * batch_size,
        "activations_peak_layer": activations.peak_layer,
        "activations_allocated_bytes": activations.allocated_bytes * batch_size,
        "estimated_need_bytes": estimate.host_bytes,
        "layers": layers,
    }


def _measured(found: "BatchProfile") -> dict[str, Any]:
    return {
        "backend": found.backend,
        "process_before_bytes": found.before_bytes,
        "process_loaded_bytes": found.loaded_bytes,
        "process_peak_bytes": found.peak_bytes,
        "device_peak_bytes": found.peak_device_bytes,
    }


def _time(found: "BatchProfile", batch_size: int) -> dict[str, Any]:
    times = asdict(found.time)
    drift = found.time.drift
    if drift is not None:
        times["drift"] |= {"direction": drift.direction, "notable": drift.is_notable}
    return {
        "timer": found.timer,
        "warmup_batches": found.warmup_batches,
        **times,
        "image_s": found.time.median_s / batch_size,
        "images_per_s": found.time.images_per_s(batch_size),
    }
