"""Refused command: what can be read from a command before, or without, its being one of the contract."""

import json
import re

from runners.messages import IDENTIFIER_PATTERN, MAX_PAYLOAD_BYTES

_RUN_ID = re.compile(IDENTIFIER_PATTERN.removesuffix("$") + r"\Z")


def run_id_of(payload: bytes) -> str | None:
    """Return the run that a bad command is about, so that the refusal can go to its topic; None where it names none."""
    run_id = _member(payload, "run_id")
    return run_id if isinstance(run_id, str) and _RUN_ID.match(run_id) else None


def kind_of(payload: bytes) -> object:
    """Return what a command says it is; None where it says nothing that can be read."""
    return _member(payload, "kind")


def _member(payload: bytes, name: str) -> object:
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return document.get(name) if isinstance(document, dict) else None
