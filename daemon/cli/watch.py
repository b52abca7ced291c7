"""`joulebench watch`: the bench in a terminal, live."""

import asyncio
import json
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from daemon.cli.command_line import check_identifiers
from daemon.cli.interruption import until_interrupted
from daemon.cli.output_console import output_console

if TYPE_CHECKING:
    from rich.live import Live

    from daemon.configuration import Configuration
    from daemon.watch.bench_view import BenchView
    from daemon.watch.happening import Happening
    from runners.broker_address import BrokerAddress

REFRESH_S = 0.5
"""How often durations on the screen go on, where nothing happens."""
ONCE_S = 2.0
"""Longest wait of `--once` for the daemon's word, which a broker keeps and sends at once."""


def watch(
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")
    ] = None,
    broker: Annotated[
        str | None, typer.Option("--broker", metavar="URL", help="Broker, where there is no configuration at hand.")
    ] = None,
    bench: Annotated[str | None, typer.Option("--bench", metavar="NAME", help="Bench; goes with --broker.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many of the last runs are shown.")] = 12,
    once: Annotated[bool, typer.Option("--once", help="Print what is known now, and end.")] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object a line for each thing that happens; with --once, one."),
    ] = False,
) -> None:
    """Show a bench live: the run in hand with its steps, and the last runs with their energy and verdict.

    On a terminal a table that changes, elsewhere a line for each thing that happens. A daemon or broker that is lost
    is waited for. Ctrl-C ends it, with exit status 0.
    """
    from daemon.watch.bench_view import BenchView

    place = _place(config, broker, bench)
    view = BenchView(place.bench, limit=limit)
    if once:
        asyncio.run(until_interrupted(_hear_once(place, view)))
        _print_once(place, view, as_json=as_json)
        return
    console = output_console()
    if as_json:
        asyncio.run(until_interrupted(_follow(place, view, _Json())))
    elif console.is_terminal:
        from rich.live import Live

        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            asyncio.run(until_interrupted(_follow(place, view, _Screen(live, view, place))))
    else:
        asyncio.run(until_interrupted(_follow(place, view, _Lines(view))))


@dataclass(slots=True, kw_only=True)
class _Place:
    """Where the bench is."""

    address: "BrokerAddress"
    bench: str
    configuration: "Configuration | None" = None
    remark: str = ""
    """Why runs of before are not known; empty where they are."""


def _place(config: Path | None, broker: str | None, bench: str | None) -> _Place:
    from daemon.configuration import load_configuration
    from runners.broker_address import BrokerAddress

    if config is not None and broker is None and bench is None:
        configuration = load_configuration(config)
        return _Place(address=configuration.mqtt.address(), bench=configuration.bench.name, configuration=configuration)
    if config is None and broker is not None and bench is not None:
        check_identifiers(bench=bench)
        return _Place(address=BrokerAddress.from_url(broker), bench=bench)
    raise typer.BadParameter("give either --config FILE, or --broker URL with --bench NAME")


class _Outlet(Protocol):
    """Where what happens goes to."""

    def tell(self, happening: "Happening") -> None:
        """Something happened, and the view has taken it up."""

    def tick(self) -> None:
        """Time has passed."""


class _Json:
    """One object a line."""

    def tell(self, happening: "Happening") -> None:
        print(json.dumps(happening.document()), flush=True)  # noqa: T201 - the output

    def tick(self) -> None:
        pass


class _Lines:
    """One sentence a line; what says the same as before of the same thing is left out."""

    def __init__(self, view: "BenchView") -> None:
        self._view = view
        self._last: dict[tuple[str, str | None], str] = {}

    def tell(self, happening: "Happening") -> None:
        from daemon.cli.watch_lines import line_of

        line = line_of(happening, self._view)
        subject, words = (happening.kind.value, happening.board), line.partition(" ")[2]
        if line and self._last.get(subject) != words:
            print(line, flush=True)  # noqa: T201 - the output
            self._last[subject] = words

    def tick(self) -> None:
        pass


class _Screen:
    """A table that changes."""

    def __init__(self, live: "Live", view: "BenchView", place: _Place) -> None:
        self._live, self._view, self._place = live, view, place

    def tell(self, happening: "Happening") -> None:
        del happening  # the view has it
        self.tick()

    def tick(self) -> None:
        from daemon.cli.watch_table import watch_screen

        room = self._live.console.size
        screen = watch_screen(
            self._view,
            now_utc_ns=time.time_ns(),
            width=room.width,
            height=room.height,
            remark=self._place.remark,
        )
        self._live.update(screen, refresh=True)


async def _follow(place: _Place, view: "BenchView", outlet: _Outlet) -> None:
    from daemon.watch.happening import HappeningKind
    from daemon.watch.listener import happenings

    await _know(place, view)

    async def tick() -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            outlet.tick()

    ticking = asyncio.create_task(tick(), name="tick")
    try:
        async with aclosing(happenings(place.address, bench=place.bench)) as heard:
            async for happening in heard:
                if happening.kind is HappeningKind.LINK and happening.connected:
                    await _know(place, view)  # what ended while nobody listened
                view.hear(happening)
                outlet.tell(happening)
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


async def _hear_once(place: _Place, view: "BenchView") -> None:
    from daemon.watch.listener import happenings

    await _know(place, view)
    try:
        async with asyncio.timeout(ONCE_S), aclosing(happenings(place.address, bench=place.bench)) as heard:
            async for happening in heard:
                view.hear(happening)
                if view.daemon is not None:
                    return
    except TimeoutError:
        pass


async def _know(place: _Place, view: "BenchView") -> None:
    """Take up the last runs of the database, where it can be reached from here."""
    from daemon.errors import StoreError
    from daemon.watch.past_runs import past_runs

    if place.configuration is None:
        place.remark = "runs of before are known with --config alone, on the laboratory's computer"
        return
    configuration = place.configuration
    try:
        view.know(await asyncio.to_thread(past_runs, configuration.storage.url, place.bench, view.limit))
        place.remark = ""
    except StoreError as error:
        place.remark = f"runs of before are not shown: {error}"


def _print_once(place: _Place, view: "BenchView", *, as_json: bool) -> None:
    from daemon.cli.watch_table import watch_screen

    if as_json:
        typer.echo(json.dumps(view.document(), indent=2))
    else:
        console = output_console()
        console.print(watch_screen(view, now_utc_ns=time.time_ns(), width=console.width, remark=place.remark))
