"""Set-up block: the front panel's settings as `:SYSTem:SETup?` hands them out and `:SYSTem:SETup` takes them back.

What is inside is the instrument's own business; here text, since programs exist that read a set-up as text.
"""

import base64
import json
import re
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
from instruments.simulated.scpi_values import LARGEST_NUMBER

MOST_BYTES = 1 << 16
"""Longest text of settings, in bytes; they take some 4 kB."""
_OPEN = {"levels": float, "kept": str}
"""Tables whose keys are not always the same, and what is in them."""
_LIMITS = {
    "range_s": (50e-9, 500.0),
    "position_s": (-500.0, 500.0),
    "input_scale_v": (0.001, 5.0),
    "input_offset_v": (-50.0, 50.0),
    "ratio": (0.001, 10_000.0),
    "average_count": (2, 65_536),
}
_WORDS = {"reference": "LEFT|CENT|RIGH", "source": "CHAN[1-4]|DIG[0-7]|EXT|LINE|WGEN", "kind": "NORM|AVER|HRES|PEAK"}
"""Words that the acquisition relies on; others are only told again."""


def settings_to_setup(settings: ScopeSettings) -> bytes:
    """Return settings as the bytes of a set-up."""
    return base64.b64encode(zlib.compress(json.dumps(asdict(settings)).encode("ascii")))


def setup_to_settings(setup: bytes) -> ScopeSettings:
    """Return the settings that a set-up holds.

    Raises:
        ScpiError: -161, it is none, or not whole.
    """
    try:
        fields = json.loads(zlib.decompressobj().decompress(base64.b64decode(setup, validate=True), MOST_BYTES))
    except (ValueError, RecursionError, zlib.error):
        raise ScpiError(-161) from None
    if not _is_like(fields, _as_read(ScopeSettings())):
        raise ScpiError(-161)
    return _settings(fields)


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


def _as_read(settings: ScopeSettings) -> Any:
    return json.loads(json.dumps(asdict(settings)))


def _is_like(value: Any, example: Any, name: str = "") -> bool:
    """Tell whether a value has the form of an example, and lies where the front panel could have set it."""
    if name in _OPEN:
        return isinstance(value, dict) and all(_is_like(entry, _OPEN[name]()) for entry in value.values())
    if isinstance(example, dict):
        same = isinstance(value, dict) and value.keys() == example.keys()
        return same and all(_is_like(value[key], example[key], key) for key in example)
    if isinstance(example, str):
        return isinstance(value, str) and re.fullmatch(_WORDS.get(name, ".*"), value, re.DOTALL) is not None
    if isinstance(example, bool):
        return isinstance(value, bool)
    kinds = (int,) if isinstance(example, int) else (int, float)
    low, high = _LIMITS.get(name, (-LARGEST_NUMBER, LARGEST_NUMBER))
    return type(value) in kinds and bool(low <= value <= high)


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
