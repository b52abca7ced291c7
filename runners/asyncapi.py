"""AsyncAPI: the message contract as a document for other languages, from the classes themselves.

python -m runners.asyncapi > docs/reference/asyncapi.json
"""

import json
import re
import sys
from dataclasses import dataclass
from typing import Any

from pydantic.json_schema import models_json_schema

from runners.messages import (
    IDENTIFIER_PATTERN,
    MAX_PAYLOAD_BYTES,
    BoardCommand,
    BoardStatus,
    CampaignCommand,
    ClockPing,
    ClockPong,
    DaemonStatus,
    Message,
    PowerQuery,
    PowerReading,
    RunAbort,
    RunAnswer,
    RunFinished,
    RunQuery,
    RunRequest,
    RunResult,
    RunStarted,
    RunState,
)
from runners.topics import TopicKind, shapes

_DESCRIPTION = f"""\
Messages between boards, which run neural networks, and the lab's daemon, which measures their energy per image.

JSON in UTF-8, at most {MAX_PAYLOAD_BYTES} bytes; unknown keys are ignored, known ones validated. Times are integer
nanoseconds. QoS 1 throughout, except for the clock exchange (QoS 0): every message may arrive twice, and every handler
is idempotent by run_id. Operations are named as the lab side sees them: it sends what a board receives."""

_PARAMETERS = {
    "bench": "Name of the bench",
    "board": "Name of the board",
    "run_id": "Identifier of the run, chosen by whoever asks for it; a UUID will do",
    "client": "Who asks for the time; a board goes by its own name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Channel:
    """What one kind of topic carries."""

    message: type[Message]
    sent_by_lab: bool
    also: tuple[type[Message], ...] = ()
    retained: bool = False
    qos: int = 1

    @property
    def messages(self) -> tuple[type[Message], ...]:
        """Every message that it may carry; their `kind` tells them apart."""
        return (self.message, *self.also)


_CHANNELS: dict[TopicKind, _Channel] = {
    TopicKind.STATUS: _Channel(message=DaemonStatus, sent_by_lab=True, retained=True),
    TopicKind.REQUEST: _Channel(message=RunRequest, sent_by_lab=False),
    TopicKind.STARTED: _Channel(message=RunStarted, sent_by_lab=False),
    TopicKind.FINISHED: _Channel(message=RunFinished, sent_by_lab=False),
    TopicKind.ABORT: _Channel(message=RunAbort, sent_by_lab=False),
    TopicKind.STATE: _Channel(message=RunState, sent_by_lab=True, retained=True),
    TopicKind.RESULT: _Channel(message=RunResult, sent_by_lab=True),
    TopicKind.QUERY: _Channel(message=RunQuery, sent_by_lab=False),
    TopicKind.ANSWER: _Channel(message=RunAnswer, sent_by_lab=True),
    TopicKind.POWER_QUERY: _Channel(message=PowerQuery, sent_by_lab=False),
    TopicKind.POWER: _Channel(message=PowerReading, sent_by_lab=True),
    TopicKind.PING: _Channel(message=ClockPing, sent_by_lab=False, qos=0),
    TopicKind.PONG: _Channel(message=ClockPong, sent_by_lab=True, qos=0),
    TopicKind.BOARD_STATUS: _Channel(message=BoardStatus, sent_by_lab=False, retained=True),
    TopicKind.BOARD_COMMAND: _Channel(message=BoardCommand, sent_by_lab=True, also=(CampaignCommand,)),
}


def document() -> dict[str, Any]:
    """Return the contract as an AsyncAPI 3.0 document."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "joulebench", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {kind.value: _channel(kind, entry) for kind, entry in _CHANNELS.items()},
        "operations": {_operation_name(kind, entry): _operation(kind, entry) for kind, entry in _CHANNELS.items()},
        "components": {
            "messages": {one.__name__: _message(one) for entry in _CHANNELS.values() for one in entry.messages},
            "schemas": _schemas(),
        },
    }


def text() -> str:
    """Return the document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _channel(kind: TopicKind, entry: _Channel) -> dict[str, Any]:
    address = shapes()[kind]
    return {
        "address": address,
        "description": _first_line(entry.message),
        "messages": {one.__name__: {"$ref": f"#/components/messages/{one.__name__}"} for one in entry.messages},
        "parameters": {name: _parameter(name) for name in re.findall(r"{(\w+)}", address)},
    }


def _parameter(name: str) -> dict[str, str]:
    return {"description": f"{_PARAMETERS[name]}; matches {IDENTIFIER_PATTERN}"}


def _operation_name(kind: TopicKind, entry: _Channel) -> str:
    return f"{'send' if entry.sent_by_lab else 'receive'}_{kind.value}"


def _operation(kind: TopicKind, entry: _Channel) -> dict[str, Any]:
    return {
        "action": "send" if entry.sent_by_lab else "receive",
        "channel": {"$ref": f"#/channels/{kind.value}"},
        "messages": [{"$ref": f"#/channels/{kind.value}/messages/{one.__name__}"} for one in entry.messages],
        "bindings": {"mqtt": {"qos": entry.qos, "retain": entry.retained, "bindingVersion": "0.2.0"}},
    }


def _message(message: type[Message]) -> dict[str, Any]:
    name = message.__name__
    return {"name": name, "summary": _first_line(message), "payload": {"$ref": f"#/components/schemas/{name}"}}


def _schemas() -> dict[str, Any]:
    models = [(one, "validation") for entry in _CHANNELS.values() for one in entry.messages]
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _first_line(message: type[Message]) -> str:
    return (message.__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    sys.stdout.write(text())
