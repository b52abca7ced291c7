"""`joulebench board`: the board's side, as an agent that serves or for one run."""

import asyncio
import json
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import uuid4

import typer
from rich.console import Console

from daemon.cli.command_line import board_command, check_identifiers
from daemon.cli.completion import network_names
from daemon.cli.log import (
    LogDestination,
    LogFileMbOption,
    LogFileOption,
    LogFilesOption,
    LogFormatOption,
    LogLevel,
    configure_log,
)
from daemon.cli.progress_line import progress_line
from runners import board_environment
from runners.markers import MARKER_FORMS, marker_from_url

if TYPE_CHECKING:
    # Messages and MQTT take half a second to load, which no other verb, and no completion in a shell, is to wait for.
    from daemon.cli.board_torch import BoardAbilities
    from daemon.service_pulse import ServicePulse
    from runners.agent import Agent
    from runners.agent_settings import AgentSettings

T = TypeVar("T")

LEAVE_LIMIT_S = 30.0
"""What leaving may take, in seconds: a batch in hand, and the last word to the lab."""


class Device(StrEnum):
    """Where inference runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Engine(StrEnum):
    """What infers."""

    TORCH = "torch"
    COMPILE = "compile"
    ONNX = "onnx"


def known_methods(texts: list[str] | None) -> list[str] | None:
    """Return the methods in options that may be given several times, each with commas between; None where none is."""
    from runners.messages import SYNC_METHODS

    methods = [method.strip() for text in texts or [] for method in text.split(",")]
    if unknown := [method for method in methods if method not in SYNC_METHODS]:
        raise typer.BadParameter(f"want some of {','.join(SYNC_METHODS)}, got {unknown[0]!r}")
    return list(dict.fromkeys(methods)) or None


app = typer.Typer(no_args_is_help=True, help="The board's side: perform runs that the bench measures.")

BROKER_HELP = (
    "mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS, with ?ca=FILE&cert=FILE&key=FILE as the broker wants; the "
    "password in JOULEBENCH_BOARD_PASSWORD, or in the file &password_file=FILE."
)
"""What an address looks like."""
BrokerOption = Annotated[
    str, typer.Option("--broker", metavar="URL", envvar=board_environment.BROKER, help=BROKER_HELP)
]
BenchOption = Annotated[str, typer.Option("--bench", metavar="NAME", help="Bench that measures this board.")]
BoardOption = Annotated[str, typer.Option("--board", metavar="NAME", help="Name of this board.")]
MarkerOption = Annotated[
    str,
    typer.Option("--marker", metavar="URL", help=f"{MARKER_FORMS}."),
]
BackendOption = Annotated[
    Engine,
    typer.Option("--backend", help="What infers: torch, torch.compile or ONNX Runtime; a command may name another."),
]
DeviceOption = Annotated[Device, typer.Option("--device", help="Where inference runs.")]
ThreadsOption = Annotated[int | None, typer.Option("--threads", min=1, help="Threads of inference on the CPU.")]
ScriptOption = Annotated[
    str | None,
    typer.Option(
        "--scripted",
        metavar="BATCH_S,GAP_S[,COUNT]",
        help="Play declared batches on the simulated bench's marker instead of inference; "
        "without COUNT and --images until the last capture is taken.",
    ),
]
SyncOption = Annotated[
    list[str] | None,
    typer.Option(
        "--sync",
        callback=known_methods,
        metavar="METHOD[,METHOD]",
        help="Offer only these: marker, clock, step; may be given several times. Left out: all that this board can.",
    ),
]
LogOption = Annotated[LogLevel, typer.Option("--log-level", help="How much is logged, on standard error.")]


@app.command("serve")
def serve(
    broker: BrokerOption,
    bench: BenchOption,
    board: BoardOption,
    marker: MarkerOption = "none",
    backend: BackendOption = Engine.TORCH,
    device: DeviceOption = Device.AUTO,
    threads: ThreadsOption = None,
    scripted: ScriptOption = None,
    sync: SyncOption = None,
    slow_precisions: Annotated[
        bool,
        typer.Option(
            "--slow-precisions",
            help="Announce also the number formats that this device only imitates, ten times slower: campaigns may "
            "then ask for them.",
        ),
    ] = False,
    campaigns: Annotated[
        Path | None,
        typer.Option(
            "--campaigns",
            metavar="DIR",
            file_okay=False,
            help="Perform campaigns by itself too, and keep their journals here; unfinished ones are gone on with.",
        ),
    ] = None,
    log_level: LogOption = LogLevel.INFO,
    log_format: LogFormatOption = None,
    log_file: LogFileOption = None,
    log_file_mb: LogFileMbOption = 20,
    log_files: LogFilesOption = 5,
) -> None:
    """Perform the runs and campaigns that the lab commands, until SIGINT or SIGTERM."""
    to = LogDestination(format=log_format, file=log_file, file_mb=log_file_mb, files=log_files)
    configure_log(log_level, place=board, to=to)
    check_identifiers(bench=bench, board=board)
    abilities = _abilities(scripted, backend, device, threads, slow_precisions=slow_precisions)
    settings = replace(_settings(broker, bench, board, abilities, sync=sync, announce=True), campaigns=campaigns)
    _say(f"board {board} serves bench {bench}: {', '.join(abilities.networks)} on {', '.join(abilities.backends)}")
    _with_agent(settings, abilities, marker, _serve_as_service)


@app.command("run")
def run(
    broker: BrokerOption,
    bench: BenchOption,
    board: BoardOption,
    network: Annotated[
        str, typer.Option("--network", metavar="NAME", help="Network to run.", autocompletion=network_names)
    ],
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Images in one batch.")] = 1,
    captures: Annotated[int, typer.Option("--captures", min=1, max=1000, help="Records to take.")] = 1,
    images: Annotated[
        int | None, typer.Option("--images", min=1, help="Images to run; left out: until the last capture is taken.")
    ] = None,
    precision: Annotated[str, typer.Option("--precision", help="Number format: fp32, fp16, bf16.")] = "fp32",
    run_id: Annotated[str | None, typer.Option("--run-id", help="Identifier; left out: a new one.")] = None,
    marker: MarkerOption = "none",
    backend: BackendOption = Engine.TORCH,
    device: DeviceOption = Device.AUTO,
    threads: ThreadsOption = None,
    scripted: ScriptOption = None,
    sync: SyncOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    log_level: LogOption = LogLevel.WARNING,
) -> None:
    """Request one run, perform it, and print what the bench measured."""
    from daemon.cli.board_outcome import outcome_document, outcome_sentence

    configure_log(log_level, place=board)
    check_identifiers(bench=bench, board=board)
    order = board_command(
        run_id=run_id or uuid4().hex,
        network=network,
        batch_size=batch_size,
        precision=precision,
        images_planned=images,
        captures=captures,
    )
    with progress_line() as tell:
        tell("loading what infers")
        abilities = _abilities(scripted, backend, device, threads)
        settings = _settings(broker, bench, board, abilities, sync=sync, announce=False)
        tell(f"run {order.run_id}: loading {network}, then measured by bench {bench}")
        outcome = _with_agent(settings, abilities, marker, lambda agent: agent.perform(order))
    if outcome is None:
        raise typer.Exit(130)
    if as_json:
        typer.echo(json.dumps(outcome_document(outcome), indent=2))
    outcome.raise_unless_done()
    if not as_json:
        typer.echo(outcome_sentence(outcome))


def _abilities(
    scripted: str | None, backend: Engine, device: Device, threads: int | None, *, slow_precisions: bool = False
) -> "BoardAbilities":
    from daemon.cli.board_torch import BoardAbilities, torch_abilities
    from runners.networks.catalogue import KNOWN_NETWORKS
    from runners.scripted_workload import BACKEND, Script, scripted_factory

    if scripted is None:
        return torch_abilities(backend.value, device.value, threads, slow_precisions=slow_precisions)
    factory = scripted_factory(Script.parse(scripted))
    return BoardAbilities(factory=factory, networks=KNOWN_NETWORKS, precisions=("fp32",), backends=(BACKEND,))


def _settings(
    broker: str, bench: str, board: str, abilities: "BoardAbilities", *, sync: list[str] | None, announce: bool
) -> "AgentSettings":
    from runners.agent_settings import AgentSettings
    from runners.broker_address import BrokerAddress

    return AgentSettings(
        broker=BrokerAddress.from_url(broker),
        bench=bench,
        board=board,
        networks=abilities.networks,
        precisions=abilities.precisions,
        backends=abilities.backends,
        announce=announce,
        sync=tuple(sync) if sync else None,
    )


def _with_agent(
    settings: "AgentSettings",
    abilities: "BoardAbilities",
    marker_url: str,
    work: "Callable[[Agent], Coroutine[Any, Any, T]]",
) -> T | None:
    """Return what an agent's work returns; None where it was interrupted."""
    from runners.agent import Agent

    marker = marker_from_url(marker_url)
    try:
        return asyncio.run(_until_interrupted(lambda: Agent(settings, abilities.factory, marker), work))
    finally:
        marker.close()


async def _until_interrupted(
    make: "Callable[[], Agent]", work: "Callable[[Agent], Coroutine[Any, Any, T]]"
) -> T | None:
    async with make() as agent:
        task = asyncio.create_task(work(agent), name="board-work")
        loop = asyncio.get_running_loop()
        # SIGHUP is a terminal that is gone, unless it is ignored (`nohup`): the lab is told even then.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            return None


async def _serve_as_service(agent: "Agent") -> None:
    """Serve, and tell the service manager how that goes, if one listens."""
    from daemon.service_notifier import ServiceNotifier
    from daemon.service_pulse import ServicePulse

    pulse = ServicePulse(ServiceNotifier.from_environment(), status=lambda: _status(agent), stuck=agent.stuck)
    async with pulse.beating():
        telling = asyncio.create_task(_tell_when_connected(agent, pulse), name="board-ready")
        try:
            await agent.serve()
        finally:
            pulse.stopping(LEAVE_LIMIT_S)
            telling.cancel()
            await asyncio.wait([telling])


async def _tell_when_connected(agent: "Agent", pulse: "ServicePulse") -> None:
    await agent.connected.wait()
    pulse.ready()


def _status(agent: "Agent") -> str:
    connected = "broker connected" if agent.connected.is_set() else f"broker away ({agent.last_problem})"
    return f"{connected}; {'free' if agent.busy_run is None else f'run {agent.busy_run}'}"


def _say(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, markup=False, highlight=False)
