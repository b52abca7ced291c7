"""Refused command: what can still be read from a command that the contract does not allow."""

import json
import re

from runners.messages import IDENTIFIER_PATTERN, MAX_PAYLOAD_BYTES

_RUN_ID = re.compile(IDENTIFIER_PATTERN.removesuffix("$") + r"\Z")


def run_id_of(payload: bytes) -> str | None:
    """Return the run that a bad command is about, so that the refusal can go to its topic; None where it names none."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    run_id = document.get("run_id") if isinstance(document, dict) else None
    return run_id if isinstance(run_id, str) and _RUN_ID.match(run_id) else None
