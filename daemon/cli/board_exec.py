"""`joulebench board exec`: measure any program, told from outside by its lines."""

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from daemon.cli.board import BROKER_HELP, known_methods
from daemon.cli.command_line import board_command, check_identifiers
from daemon.cli.log import LogLevel, configure_log
from runners import board_environment
from runners.markers import MARKER_FORMS, marker_from_url
from runners.program_plan import BatchIs, MarkerBy, ProgramPlan, WhenMeasured

if TYPE_CHECKING:
    from runners.agent_settings import AgentSettings
    from runners.markers import MarkerOutput
    from runners.messages import BoardCommand
    from runners.program_workload import ProgramWorkload
    from runners.run_outcome import RunOutcome

CONTEXT = {"allow_interspersed_args": False}
"""What follows the program's name is the program's."""


def pattern(text: str | None) -> re.Pattern[str] | None:
    """Return a regular expression; None where there is none."""
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise typer.BadParameter(f"{text!r} is no regular expression: {error}") from None


def signal_named(text: str) -> signal.Signals:
    """Return the signal of a name such as TERM or SIGTERM."""
    try:
        return signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"]
    except KeyError:
        raise typer.BadParameter(f"want a signal such as TERM or INT, got {text!r}") from None


def exec_program(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="Program and arguments, after `--`.")],
    broker: Annotated[
        str,
        typer.Option("--broker", metavar="URL", envvar=board_environment.BROKER, help=BROKER_HELP),
    ],
    bench: Annotated[
        str,
        typer.Option("--bench", metavar="NAME", envvar=board_environment.BENCH, help="Bench that measures this board."),
    ],
    board: Annotated[
        str, typer.Option("--board", metavar="NAME", envvar=board_environment.BOARD, help="Name of this board.")
    ],
    network: Annotated[
        str | None, typer.Option("--network", metavar="NAME", help="What is run; left out: the program's name.")
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Images in one batch.")] = 1,
    images_pattern: Annotated[
        str | None,
        typer.Option(
            "--images-pattern",
            metavar="REGEX",
            help="A line in which this is found ends a batch; its group `images`, or its first, holds its images.",
        ),
    ] = None,
    start_pattern: Annotated[
        str | None,
        typer.Option(
            "--start-pattern",
            metavar="REGEX",
            help="A line in which this is found begins a batch. Left out: each begins where the one before ended.",
        ),
    ] = None,
    warm_line: Annotated[
        str | None,
        typer.Option(
            "--warm-line",
            metavar="REGEX",
            help="The program is started at once, writes such a line when it is warm, and waits for a line on its "
            "standard input. Left out: it is started when the bench is armed.",
        ),
    ] = None,
    warm_timeout: Annotated[
        float, typer.Option("--warm-timeout", min=0, max=86400, metavar="S", help="Longest wait for it, in seconds.")
    ] = 300.0,
    batch_is: Annotated[
        BatchIs, typer.Option("--batch-is", help="Whether lines end batches, or the program's whole life is the one.")
    ] = BatchIs.LINE,
    marker_by: Annotated[
        MarkerBy, typer.Option("--marker-by", help="Who drives the marker: this command, or the program itself.")
    ] = MarkerBy.WRAPPER,
    marker: Annotated[
        str,
        typer.Option(
            "--marker",
            metavar="URL",
            envvar=board_environment.MARKER,
            help=f"{MARKER_FORMS}.",
        ),
    ] = "none",
    captures: Annotated[int, typer.Option("--captures", min=1, max=1000, help="Records to take.")] = 1,
    images: Annotated[
        int | None, typer.Option("--images", min=1, help="Images to run; left out: until the last capture is taken.")
    ] = None,
    when_measured: Annotated[
        WhenMeasured,
        typer.Option("--when-measured", help="Stop the program once enough is measured, or wait for its own end."),
    ] = WhenMeasured.STOP,
    stop_signal: Annotated[
        str, typer.Option("--stop-signal", metavar="NAME", help="What stops it: TERM, INT or another signal.")
    ] = "TERM",
    grace: Annotated[
        float, typer.Option("--grace", min=0, max=86400, metavar="S", help="Seconds until it is killed after that.")
    ] = 5.0,
    line_delay: Annotated[
        float,
        typer.Option(
            "--line-delay",
            min=0,
            max=86400,
            metavar="S",
            help="How long after its event a line may arrive, in seconds: part of the doubt of `clock` and `step`.",
        ),
    ] = 1e-3,
    precision: Annotated[str, typer.Option("--precision", help="Number format, in words.")] = "fp32",
    backend: Annotated[
        str | None, typer.Option("--backend", metavar="NAME", help="What infers, in words; left out: it is not said.")
    ] = None,
    run_id: Annotated[str | None, typer.Option("--run-id", help="Identifier; left out: a new one.")] = None,
    sync: Annotated[
        list[str] | None,
        typer.Option(
            "--sync",
            callback=known_methods,
            metavar="METHOD[,METHOD]",
            help="Offer these: marker, clock, step. Left out: marker where there is one, otherwise clock and step.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    log_level: Annotated[
        LogLevel, typer.Option("--log-level", help="How much is logged, on standard error.")
    ] = LogLevel.WARNING,
) -> None:
    """Measure any program as it is: its lines tell the batches, its output goes to standard error."""
    from daemon.cli.board_outcome import outcome_document, outcome_sentence
    from runners.agent_settings import AgentSettings
    from runners.broker_address import BrokerAddress
    from runners.program_workload import ProgramMarker, ProgramWorkload

    configure_log(log_level)
    check_identifiers(bench=bench, board=board)
    if images is not None and (batch_is is BatchIs.PROGRAM or images % batch_size):
        raise typer.BadParameter("want whole batches, and none where the program is the batch", param_hint="--images")
    order = board_command(
        run_id=run_id or uuid4().hex,
        network=network or name_of(command),
        batch_size=batch_size,
        precision=precision,
        backend=backend,
        images_planned=images,
        captures=captures,
    )
    plan = ProgramPlan(
        command=tuple(command),
        images_pattern=pattern(images_pattern),
        start_pattern=pattern(start_pattern),
        warm_line=pattern(warm_line),
        warm_timeout_s=warm_timeout,
        batch_is=batch_is,
        marker_by=marker_by,
        when_measured=when_measured,
        stop_signal=signal_named(stop_signal),
        grace_s=grace,
        line_delay_s=line_delay,
    )
    output = ProgramMarker() if marker_by is MarkerBy.PROGRAM else marker_from_url(marker)
    settings = AgentSettings(
        broker=BrokerAddress.from_url(broker),
        bench=bench,
        board=board,
        announce=False,
        sync=tuple(sync or (["marker"] if output.wired else ["clock", "step"])),
    )
    workload = ProgramWorkload(plan, order, show=show)
    try:
        output.set(False)  # a marker that is not there is to be known before the bench is asked for
        outcome = asyncio.run(performed(settings, order, workload, output))
    finally:
        output.close()
    if outcome is None:
        raise typer.Exit(130)
    if as_json:
        typer.echo(json.dumps(outcome_document(outcome), indent=2))
    outcome.raise_unless_done()
    if not as_json:
        typer.echo(outcome_sentence(outcome))


async def performed(
    settings: "AgentSettings", order: "BoardCommand", workload: "ProgramWorkload", marker: "MarkerOutput"
) -> "RunOutcome | None":
    """Return what became of the run; None where a signal ended it."""
    from runners.agent import Agent

    async with Agent(settings, lambda _: workload, marker) as agent:
        task = asyncio.create_task(agent.perform(order), name="board-exec")

        def interrupt() -> None:
            workload.interrupt()
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, interrupt)
        try:
            return await task
        except asyncio.CancelledError:
            return None


def name_of(command: list[str]) -> str:
    """Return a network's name made of a program's."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", Path(command[0]).name)[:64] or "program"


def show(data: bytes) -> None:
    """Write to standard error what the program wrote."""
    descriptor = sys.stderr.fileno()
    while data:
        data = data[os.write(descriptor, data) :]
