"""Message: what every payload of the contract has in common, and the way to the wire and back."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from runners.errors import MessageError

MAX_PAYLOAD_BYTES = 65536
"""Longest payload of the contract, in bytes."""

MOST_PROBLEMS = 10
"""Most problems of one payload that an error names; how many more there are, it says."""

IDENTIFIER_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
"""Identifiers of runs, boards, benches and clients: safe as one level of a topic and as a file's name."""
NETWORK_PATTERN = r"^[A-Za-z0-9_.-]{1,64}$"
"""Names of networks."""
REASON_PATTERN = r"^[a-z0-9_]{1,64}$"
"""Reason codes: stable words for machines."""

TEXT_PATTERN = r"^[^\x00]*$"
"""Texts: anything but the character that PostgreSQL cannot keep."""

_LARGEST_INTEGER = 2**63 - 1  # what a database column holds

Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER_PATTERN)]
NetworkName = Annotated[str, StringConstraints(pattern=NETWORK_PATTERN)]
ReasonCode = Annotated[str, StringConstraints(pattern=REASON_PATTERN)]
Text = Annotated[str, StringConstraints(max_length=1000, pattern=TEXT_PATTERN)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=TEXT_PATTERN)]
Nanoseconds = Annotated[int, Field(ge=0, le=_LARGEST_INTEGER)]
Count = Annotated[int, Field(ge=0, le=10**12)]
PositiveCount = Annotated[int, Field(ge=1, le=10**12)]
NotNegative = Annotated[float, Field(ge=0)]


class Part(BaseModel):
    """A part of a message. Unknown keys are ignored, so that either side may be newer than the other."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True)


class Message(Part):
    """One payload of the contract."""

    v: Literal[1] = 1
    """Version of the contract."""


M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """Return a message as UTF-8 JSON; raise MessageError where it is longer than the contract allows."""
    payload = message.model_dump_json().encode()
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MessageError(type(message).__name__, [_too_long(payload)])
    return payload


def decode(cls: type[M], payload: bytes, *, topic: str) -> M:
    """Return the message that a payload holds.

    Args:
        cls: The message that this topic carries.
        payload: What arrived.
        topic: Where it arrived, for the error.

    Raises:
        MessageError: The payload is too long, no JSON, or breaks bounds; it names the first `MOST_PROBLEMS`.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise MessageError(topic, [_too_long(payload)])
    try:
        # Strict, so that "4" is no number: what one daemon coerces, another may not.
        return cls.model_validate_json(payload, strict=True)
    except ValidationError as error:
        raise MessageError(topic, _problems(error)) from None


def _problems(error: ValidationError) -> list[str]:
    """Return what is wrong, cut short: one payload can break a bound four thousand times."""
    found = [_problem(entry) for entry in error.errors(include_url=False, include_context=False)[:MOST_PROBLEMS]]
    left = error.error_count() - len(found)
    return found if not left else [*found, f"{left} more"]


def _too_long(payload: bytes) -> str:
    return f"{len(payload)} bytes are more than the {MAX_PAYLOAD_BYTES} that a payload may have"


def _problem(entry: object) -> str:
    assert isinstance(entry, dict)
    key = ".".join(str(part) for part in entry["loc"]) or "payload"
    given = "" if entry["type"] in {"missing", "json_invalid"} else f", got {_short(entry['input'])}"
    return f"{key}: {entry['msg']}{given}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
