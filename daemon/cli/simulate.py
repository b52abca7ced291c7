"""`joulebench simulate`: serve a simulated bench until interrupted."""

import asyncio
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from daemon.cli.command_line import check_folder

if TYPE_CHECKING:
    from instruments.simulated.addresses import BenchAddresses
    from instruments.simulated.bench import SimulatedBench
    from instruments.simulated.recorded_load import Replay


def simulate(
    seed: Annotated[int, typer.Option(min=0, help="Seed of errors, noise and jitter.")] = 1,
    time_scale: Annotated[float, typer.Option(metavar="X", help="World seconds per real second.")] = 1.0,
    ready_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the addresses here, as JSON, once all is served.", dir_okay=False),
    ] = None,
    errors: Annotated[
        Literal["exact", "datasheet"], typer.Option(help="Instruments without error, or within their data sheets.")
    ] = "exact",
    memory_points: Annotated[int, typer.Option(help="Scope memory per channel: 100000 or 1000000.")] = 100_000,
    segmented_memory: Annotated[
        bool, typer.Option("--segmented-memory", help="Fit the scope's option of segmented memory (SGM).")
    ] = False,
    replay: Annotated[
        Path | None, typer.Option(metavar="DIR", help="EnergyRunner recording that becomes the board's load.")
    ] = None,
    replay_factor: Annotated[float, typer.Option(help="What the recording's power is multiplied by.")] = 1.0,
    replay_on_command: Annotated[
        bool, typer.Option("--replay-on-command", help="Start it when the marker input is told `replay`, not at once.")
    ] = False,
    latency: Annotated[
        Literal["none", "typical"],
        typer.Option(help="Instruments answer at once, or as slowly as real ones."),
    ] = "none",
    board_number: Annotated[int, typer.Option(min=0, help="GPIB board number in the resource names.")] = 0,
    faults: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML file of faults that strike by themselves.", dir_okay=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as one JSON document.")] = False,
) -> None:
    """Serve the simulated bench on this computer until interrupted."""
    check_folder(ready_file, option="--ready-file")
    from instruments.simulated.bench import SimulatedBench
    from instruments.simulated.error_draw import InstrumentErrors
    from instruments.simulated.fault_plan import read_fault_plan
    from instruments.simulated.latency import LATENCIES
    from instruments.simulated.world import WorldSettings

    settings = WorldSettings(
        seed=seed,
        time_scale=time_scale,
        errors=InstrumentErrors(errors),
        memory_points=memory_points,
        segmented_memory=segmented_memory,
        replay=None if replay is None else read_replay(replay, factor=replay_factor),
        replay_at_start=not replay_on_command,
        latency=LATENCIES[latency],
    )
    plan = [] if faults is None else read_fault_plan(faults)
    bench = SimulatedBench(settings, board_number=board_number, plan=plan)
    asyncio.run(_serve(bench, ready_file=ready_file, as_json=as_json))


def read_replay(directory: Path, *, factor: float) -> "Replay":
    """Read an EnergyRunner recording as a load."""
    from instruments.recordings.energyrunner import read_recording
    from instruments.simulated.recorded_load import Replay

    recording = read_recording(directory)
    windows = [(window.start_s, window.end_s) for window in recording.windows]
    return Replay.from_record(recording.record, windows, factor=factor)


async def _serve(bench: "SimulatedBench", *, ready_file: Path | None, as_json: bool) -> None:
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    async with bench:
        if ready_file is not None:
            bench.addresses.write(ready_file)
        _tell(bench.addresses, as_json=as_json)
        await interrupted.wait()


def _tell(addresses: "BenchAddresses", *, as_json: bool) -> None:
    from dataclasses import asdict

    document = asdict(addresses)
    if as_json:
        typer.echo(json.dumps(document, indent=2))
    width = max(map(len, document))
    for name, value in document.items():
        typer.echo(f"{name:>{width}}  {value}", err=True)
    typer.echo("Serving the simulated bench; Ctrl-C ends it.", err=True)
