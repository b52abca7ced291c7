"""What daemon and boards say of themselves, and what the lab asks of a board."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal

from runners.messages.message import Identifier, Message, NetworkName, PositiveCount, ShortText, Text
from runners.messages.run_messages import Captures


class Presence(StrEnum):
    """Whether one is there."""

    ONLINE = "online"
    OFFLINE = "offline"


class DaemonStatus(Message):
    """The daemon, retained; its last will says offline."""

    state: Presence
    """Whether the daemon is there."""
    bench: Identifier
    """Name of its bench."""
    version: ShortText | None = None
    """Version of joulebench that it runs."""
    instruments: Mapping[str, Any] = {}
    """Instruments by role, each with its identity."""
    current_run: Identifier | None = None
    """Run being measured; null: the bench is free."""


class BoardStatus(Message):
    """A board's agent, retained; its last will says offline."""

    state: Presence
    """Whether the agent is there."""
    board: Identifier
    """Name of the board."""
    networks: tuple[NetworkName, ...] = ()
    """Networks that it can run."""
    precisions: tuple[ShortText, ...] = ()
    """Number formats that it can run them in."""
    backends: tuple[ShortText, ...] = ()
    """What it can run them with, such as `torch-cpu` or `onnx-cuda`, the one it takes unasked first."""
    busy_run: Identifier | None = None
    """Run that it performs; null: it is free."""
    last_refusal: Text | None = None
    """Why it refused its last bad command, in words; null: it has refused none."""
    busy_campaign: Identifier | None = None
    """Campaign that it performs by itself; null: none."""


class BoardCommand(Message):
    """The lab asks a board to perform a run by the usual handshake."""

    kind: Literal["run"] = "run"
    """What to do."""
    run_id: Identifier
    """Identifier that the run is to have."""
    network: NetworkName
    """Name of the network."""
    batch_size: PositiveCount
    """Images in one batch."""
    precision: ShortText = "fp32"
    """Number format of the inference."""
    images_planned: PositiveCount | None = None
    """Images after which the board stops; null: it runs until the last capture is taken."""
    captures: Captures = 1
    """Records to take of this run."""
    backend: ShortText | None = None
    """What to run it with: one of those that the board announces; null: the board's own choice."""


class CampaignCommand(Message):
    """The lab asks a board to perform a campaign by itself, each run by the usual handshake."""

    kind: Literal["campaign"] = "campaign"
    """What to do."""
    plan: Mapping[str, Any]
    """The campaign, with the keys of its file; one of the same name and plan is gone on with."""
    again: bool = False
    """Try what was refused for good once more."""
