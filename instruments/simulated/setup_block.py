"""Set-up block: the front panel's settings as `:SYSTem:SETup?` hands them out and `:SYSTem:SETup` takes them back.

What is inside is the instrument's own business; here text, since programs exist that read a set-up as text.
"""

import base64
import json
import zlib
from dataclasses import asdict
from typing import Any

from instruments.simulated.error_queue import ScpiError
from instruments.simulated.scope_settings import (
    AcquisitionKind,
    ChannelSettings,
    PodSettings,
    ScopeSettings,
    TimeBaseSettings,
    TriggerSettings,
)


def settings_to_setup(settings: ScopeSettings) -> bytes:
    """Return settings as the bytes of a set-up."""
    return base64.b64encode(zlib.compress(json.dumps(asdict(settings)).encode("ascii")))


def setup_to_settings(setup: bytes) -> ScopeSettings:
    """Return the settings that a set-up holds.

    Raises:
        ScpiError: -161, it is none, or not whole.
    """
    try:
        return _settings(json.loads(zlib.decompress(base64.b64decode(setup, validate=True))))
    except (ValueError, KeyError, TypeError, zlib.error):
        raise ScpiError(-161) from None


def text_to_block(text: str) -> bytes:
    """Return the bytes of a definite-length block given as a parameter, one character a byte.

    Raises:
        ScpiError: -161, it is none, or not whole.
    """
    digits = int(text[1]) if text[:1] == "#" and text[1:2].isdecimal() else 0
    count = text[2 : 2 + digits]
    data = text[2 + digits :].encode("latin-1", "replace")
    if not digits or not count.isdecimal() or len(data) != int(count):
        raise ScpiError(-161)
    return data


def _settings(fields: dict[str, Any]) -> ScopeSettings:
    pod = fields.pop("pod")
    return ScopeSettings(
        channels={int(n): ChannelSettings(**channel) for n, channel in fields.pop("channels").items()},
        time_base=TimeBaseSettings(**fields.pop("time_base")),
        trigger=TriggerSettings(**fields.pop("trigger")),
        pod=PodSettings(**pod | {"lines": {int(line): shown for line, shown in pod["lines"].items()}}),
        kind=AcquisitionKind(fields.pop("kind")),
        **fields,
    )
