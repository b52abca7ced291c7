"""`joulebench runs start`: the lab asks a board's agent for a run, and waits for its energy."""

import asyncio
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from daemon.cli.command_line import board_command, check_identifiers
from daemon.cli.completion import board_names, network_names, words
from daemon.quantity_text import quantity_text

if TYPE_CHECKING:
    from runners.messages import BoardCommand, Quantity, RunResult

ConfigOption = Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")]
BoardOption = Annotated[
    str, typer.Option("--board", metavar="NAME", help="Board whose agent is to run it.", autocompletion=board_names)
]
NetworkOption = Annotated[
    str, typer.Option("--network", metavar="NAME", help="Network to run.", autocompletion=network_names)
]


def start_run(
    config: ConfigOption,
    board: BoardOption,
    network: NetworkOption,
    batch_size: Annotated[int, typer.Option(min=1, help="Images in one batch.")] = 1,
    captures: Annotated[int, typer.Option(min=1, max=1000, help="Records to take.")] = 1,
    images: Annotated[
        int | None, typer.Option(min=1, help="Images to run; left out: until the last capture is taken.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="Number format: fp32, fp16, bf16.", autocompletion=words("fp32", "fp16", "bf16"))
    ] = "fp32",
    backend: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="One that the board announces, such as onnx-cpu; left out: its own."),
    ] = None,
    run_id: Annotated[str | None, typer.Option(help="Identifier; left out: a new one.")] = None,
    timeout_s: Annotated[float, typer.Option(min=1, help="Longest wait for the result, in seconds.")] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")] = False,
) -> None:
    """Command a board to perform one run, and print what the bench measured."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    check_identifiers(board=board)
    command = board_command(
        run_id=run_id or _new_run_id(network, batch_size),
        network=network,
        batch_size=batch_size,
        captures=captures,
        images_planned=images,
        precision=precision,
        backend=backend,
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{command.run_id}: asking board {board}")

        def tell(text: str) -> None:
            progress.update(task, description=f"{command.run_id}: {text}")

        result = asyncio.run(_perform(config, board, command, timeout_s=timeout_s, tell=tell))
    typer.echo(result.model_dump_json(indent=2) if as_json else sentence_of(result))


def sentence_of(result: "RunResult") -> str:
    """Return a result in one line for people."""
    reasons = "".join(f"\n  {reason.code}: {reason.text}" for reason in result.reasons)
    gross, net = _energy(result.gross_energy_per_image_j), _energy(result.net_energy_per_image_j)
    return f"{result.run_id}: gross {gross}, net {net} per image (95 %), {result.quality}{reasons}"


def _energy(quantity: "Quantity | None") -> str:
    if quantity is None:
        return "not measured"
    return quantity_text(quantity.value, quantity.expanded_uncertainty_95, unit="J")


def _new_run_id(network: str, batch_size: int) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", network)[:40]
    return f"{plain}-b{batch_size}-{uuid.uuid4().hex[:8]}"


async def _perform(
    config: Path, board: str, command: "BoardCommand", *, timeout_s: float, tell: Callable[[str], None]
) -> "RunResult":
    from daemon.configuration import load_configuration
    from daemon.lab_client import LabClient

    configuration = load_configuration(config)
    async with LabClient(configuration.mqtt.address(), bench=configuration.bench.name, board=board) as lab:
        await lab.board_online()
        tell("loading and warming up")
        return await lab.perform(command, timeout_s=timeout_s, on_state=lambda state: tell(state.state.value))
