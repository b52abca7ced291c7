"""Lines for the adapter, the marker input and the truth channel: valid ones, bent ones, and noise."""

import json
import re
from typing import Any

from tests.contract.message_mutation import FRAGMENTS, NUMBERS, MessageMaker

_ADAPTER = (
    b"++addr", b"++addr 5", b"++addr 6", b"++addr 31", b"++addr 5 96", b"++mode 1", b"++mode 0", b"++auto 0",
    b"++auto 1", b"++read", b"++read eoi", b"++read 10", b"++read_tmo_ms 50", b"++read_tmo_ms", b"++read_tmo_ms 3001",
    b"++eos 0", b"++eos 3", b"++eoi 1", b"++eoi 0", b"++eot_enable 1", b"++eot_char 42", b"++savecfg 0", b"++lon 1",
    b"++status 48", b"++ver", b"++ifc", b"++clr", b"++trg", b"++trg 5", b"++spoll", b"++spoll 5", b"++spoll 31",
    b"++srq", b"++loc", b"++llo", b"++rst", b"++help",
)  # fmt: skip
_MARKER = (
    b"0", b"1", b"1", b"0", b"play 0.001 0.002", b"play 1 1 1 1", b"replay", b"play 1e-6 3600", b"play", b" 1 ", b"1\r",
)  # fmt: skip
_PARTS: tuple[Any, ...] = (
    0, 1, -1, 0.25, 1e-6, 3600, 1e300, -1e300, 1e-300, 10**400, float("nan"), float("inf"), True, False, None, "",
    "board", "open", "short", "closed", "supply", "good", "empty", "heal", "oscilloscope", "power_supply",
    "swallow_next_answer", "wrong_identity", [], {}, [[1, 1]], [[0.001, 0.002]] * 3, [1, 2], [[]], {"resistor_ohm": 10},
    {"resistor_ohm": 1e-300}, {"resistor_ohm": -1}, {"resistor_ohm": 1e300}, "\ud800", "x" * 3000, ["a"] * 1000,
)  # fmt: skip
_TRUTH: tuple[dict[str, Any], ...] = (
    {"op": "acquisitions", "since": 0}, {"op": "energy", "start_s": 0.1, "end_s": 0.4}, {"op": "now"}, {"op": "errors"},
    {"op": "pulses", "since_s": 0.0}, {"op": "fault", "kind": "swallow_next_answer", "role": "oscilloscope"},
    {"op": "fault", "kind": "truncate_next_block"}, {"op": "supply"}, {"op": "play", "pulses": [[0.001, 0.002]]},
    {"op": "wire", "load": "open", "jaw": "closed", "turns": 5, "tap": "board"},
    {"op": "wire", "load": {"resistor_ohm": 20.0}, "range_v_per_a": 0.01, "battery": "good", "zero_shift_a": 0.01},
)  # fmt: skip
_NO_REQUESTS = (
    b"[" * 20_000, b'{"a":' * 20_000, b"9" * 5000, b"1e999", b"NaN", b"\xff\xfe{", b'"\\ud800"', b"[]",
)  # fmt: skip
_ESCAPES = (b"\x1b", b"\x1b\n", b"\x1b\x1b", b"\n", b"\r", b"\x1b+", b"++")


def adapter_line(make: MessageMaker) -> bytes:
    """Return a command to the adapter, or a message to the instrument behind it, escaped, bent or neither."""
    kind = make.rng.random()
    if kind < 0.4:
        line = make.rng.choice(_ADAPTER)
        if make.rng.random() < 0.3:
            line = line.split(b" ")[0] + b" " + make.rng.choice(NUMBERS)
        return line if kind < 0.15 else make.mutated(line)
    line = make.message()
    return _escaped(line) if kind < 0.8 else _half_escaped(make, line)


def _escaped(line: bytes) -> bytes:
    return re.sub(rb"[\x1b\r\n+]", lambda found: b"\x1b" + found[0], line)


def _half_escaped(make: MessageMaker, line: bytes) -> bytes:
    place = make.place(line)
    return line[:place] + make.rng.choice(_ESCAPES) + line[place:]


def marker_line(make: MessageMaker) -> bytes:
    """Return a line for the marker input."""
    kind = make.rng.random()
    if kind < 0.1:
        return make.noise()
    line = make.rng.choice(_MARKER)
    if kind < 0.3:
        line = b"play " + b" ".join(make.rng.choice(NUMBERS) for _ in range(make.rng.choice((1, 2, 4, 300))))
    return line if kind < 0.5 else make.mutated(line)


def truth_line(make: MessageMaker) -> bytes:
    """Return a request to the truth channel: as it should be, with one part replaced, bent as text, or noise."""
    kind = make.rng.random()
    if kind < 0.05:
        return make.noise()
    if kind < 0.1:
        return make.rng.choice(_NO_REQUESTS)
    request = dict(make.rng.choice(_TRUTH))
    if kind > 0.3:
        key = make.rng.choice((*request, "nonsense"))
        request[key] = make.rng.choice(_PARTS)
    line = json.dumps(request).encode()
    return line if kind < 0.8 else make.mutated(line).replace(b"\n", make.rng.choice(FRAGMENTS))
