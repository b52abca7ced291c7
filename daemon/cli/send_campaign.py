"""`joulebench campaign send`: hand a campaign to a board, which performs it by itself."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.command_line import check_identifiers
from daemon.cli.completion import board_names


def send_campaign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The campaign (TOML).", dir_okay=False)],
    config: Annotated[Path, typer.Option("--config", metavar="CONFIG", help="Configuration of the bench (TOML).")],
    board: Annotated[
        str, typer.Option("--board", metavar="NAME", help="Board that is to perform it.", autocompletion=board_names)
    ],
    again: Annotated[bool, typer.Option("--again", help="Try what was refused for good once more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Have a board perform a campaign by itself (`board serve --campaigns`); return once it has begun."""
    check_identifiers(board=board)
    from daemon.configuration import load_configuration
    from daemon.lab_client import LabClient
    from runners.campaign.driver import settings_of
    from runners.campaign.plan import read_plan
    from runners.messages import CampaignCommand

    plan = read_plan(file)
    configuration = load_configuration(config)

    async def send() -> None:
        async with LabClient(configuration.mqtt.address(), bench=configuration.bench.name, board=board) as lab:
            await lab.send_campaign(CampaignCommand(plan=settings_of(plan), again=again))

    asyncio.run(send())
    if as_json:
        typer.echo(json.dumps({"board": board, "name": plan.name, "runs": len(plan.runs)}))
    else:
        typer.echo(f"board {board} performs campaign {plan.name}: {len(plan.runs)} runs")
