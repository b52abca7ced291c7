"""MQTT messages that nobody should send: those of the contract, and what can be done to their topics and payloads."""

import copy
import json
import random
import re
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from runners.errors import MessageError
from runners.messages import RunAbort, decode
from runners.topics import TopicKind, shapes

HEARD = (
    TopicKind.REQUEST, TopicKind.STARTED, TopicKind.FINISHED, TopicKind.ABORT, TopicKind.BOARD_STATUS, TopicKind.QUERY,
    TopicKind.POWER_QUERY, TopicKind.PING,
)  # fmt: skip
"""What the daemon hears."""
_EXAMPLE_OF = {
    TopicKind.REQUEST: "RunRequest", TopicKind.STARTED: "RunStarted", TopicKind.FINISHED: "RunFinished",
    TopicKind.ABORT: "RunAbort", TopicKind.BOARD_STATUS: "BoardStatus", TopicKind.QUERY: "RunQuery",
    TopicKind.POWER_QUERY: "PowerQuery", TopicKind.PING: "ClockPing",
}  # fmt: skip
_EXAMPLE = re.compile(r"<!-- message: (\w+) -->\n```json\n(.*?)\n```", re.DOTALL)
REASONS = ("marker_failed", "program_failed", "agent_stopped")
"""What a board of the fuzz gives as its reason, where the reason is none of the fuzz's own doing."""
BOARDS = ("board", "board-2", "jetson", "x" * 64)
RUNS = tuple(f"known-{number}" for number in range(12))
LARGEST_BYTES = 200_000
"""Longest payload that is made, in bytes: three times what the contract allows."""
MOST_REPEATED = 50
"""Longest list that is made longer: twenty times, five times over, would be all of the memory."""
LITTLE = 0.12
"""Share of the messages that go to topics that are none."""

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**12, 10**12 + 1, 10**30, 0.5,
    -0.0, 1e308, -1e308, 1e-320, "", "0", "4", "null", "NaN", "é", "\u0000", "\u202e", "\ud7ff", "a\nb\r\x1b[31m",
    "'; DROP TABLE runs; --", "../../etc/passwd", "$(reboot)", "`id`", "%s%n{0}", "x" * 64, "x" * 65, "x" * 1000,
    "x" * 1001, "x" * 60_000, [], {}, [[]], [{}], [None], [0] * 4096, [0] * 4097, [-1], ["marker"] * 5, {"v": 1},
    {"": ""}, {"a": {"b": [1, {"c": None}]}},
)  # fmt: skip
"""What may stand in the place of a value."""
LITERALS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"9" * 400, b"9" * 5000, b"-" + b"9" * 60_000, b"0" * 50,
    b"01", b"1.", b".5", b"+1", b"0x10", b"1_0", b"'1'", b"undefined", b"nul", b'"\\ud800"', b'"\\u0000"',
    b'"\xff\xfe"',
    b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"unclosed', b'"\x00"', b"[" * 20_000, b"[" * 150 + b"]" * 150,
    b'{"a":' * 10_000, b'{"a":' * 100 + b"1" + b"}" * 100, b"[" + b"1," * 30_000 + b"1]", b"", b"//", b"/* */ 1",
    b"1 2",
)  # fmt: skip
"""What may stand in the place of a value, as text that JSON's writer does not write."""
WHOLE = (
    b" ", b"\x00", b"null", b"true", b"7", b'"text"', b"[]", b"{}", b"[[[]]]", b"\xef\xbb\xbf{}", b"\xff\xff", b"{",
    b"}",
    b" " * 65_536, b" " * 65_537, b"9" * 65_536, b"[" * 65_536, b'"' + b"x" * 65_534 + b'"', b"x" * 200_000,
    b'{"v":1,"v":1}', b'{"v":2}', b'{"v":"1"}', b'{"v":1.0}', b'{"v":true}', b"{}{}", b"{}\n", b"\x1f\x8b\x08\x00",
)  # fmt: skip
"""Whole payloads that are none, or hardly."""
LEVELS = (
    "", " ", ".", "..", "../..", "+", "#", "$SYS", "\u0000", "é", "\u202e", "a b", "a.b", "x" * 65, "x" * 5000, "%00",
    "'",
    "BOARDS", "boards", "runs", "status", "request ", "request", "ping", "query", "0", "-", "_", "\ud7ff", "{run_id}",
)  # fmt: skip
"""Levels that a topic may be spoiled with."""


def examples(reference: Path) -> dict[str, dict[str, Any]]:
    """Return the message of each class that the reference shows."""
    return {name: json.loads(text) for name, text in _EXAMPLE.findall(reference.read_text("utf-8"))}


class MqttMaker:
    """Makes messages, (topic, payload); the same ones from the same seed and the same runs in hand."""

    def __init__(self, seed: int, *, bench: str, reference: Path) -> None:
        """Make messages for one bench out of the examples of the contract's reference."""
        self.rng = random.Random(seed)
        self._bench = bench
        written = examples(reference)
        self._examples = {kind: written[name] for kind, name in _EXAMPLE_OF.items()}
        self._recent: deque[tuple[str, bytes]] = deque(maxlen=50)
        self._serial = 0
        self.reasons: set[str] = set()
        """Reasons that boards gave: any word of the pattern is one."""

    def message(self, *, in_hand: tuple[str, str] | None) -> tuple[str, bytes]:
        """Return the next one: new, or one of the last fifty once more, out of its turn.

        Args:
            in_hand: board and identifier of the run that the daemon has in hand; None: none.
        """
        if self._recent and self.rng.random() < 0.15:
            return self.rng.choice(self._recent)
        kind = self.rng.choice(HEARD)
        made = self._topic(kind, in_hand), self._payload(kind)
        if kind is TopicKind.ABORT:
            self._note_reason(made[1])
        self._recent.append(made)
        return made

    def _note_reason(self, payload: bytes) -> None:
        with suppress(MessageError):
            self.reasons.add(decode(RunAbort, payload, topic="abort").reason)

    def request(self, **changes: Any) -> bytes:
        """Return a request that can be met."""
        wish = {"network": "alexnet", "batch_size": 4, "images_planned": None, "captures": 1} | changes
        return json.dumps(self._examples[TopicKind.REQUEST] | wish).encode()

    def finished(self) -> bytes:
        """Return a report of the right shape whose figures may be any."""
        report = self._absurd(copy.deepcopy(self._examples[TopicKind.FINISHED]))
        return json.dumps(report).encode()

    def _absurd(self, report: dict[str, Any]) -> dict[str, Any]:
        """Return a report with some of its figures exchanged for others of their type."""
        numbers = (0, 1, 2, 10**6, 10**9, 10**12, 2**53, 2**63 - 1)
        for key, value in report.items():
            if self.rng.random() < 0.4:
                if isinstance(value, int) and key != "v":
                    report[key] = self.rng.choice(numbers)
                elif isinstance(value, list) and value and isinstance(value[0], int):
                    size = self.rng.choice((0, 1, 2, 50, 1500))
                    report[key] = [self.rng.choice(numbers) for _ in range(size)]
                elif self.rng.random() < 0.3:
                    report[key] = None
        return report

    def _topic(self, kind: TopicKind, in_hand: tuple[str, str] | None) -> str:
        board, run_id = self._names(in_hand)
        topic = shapes()[kind].format(bench=self._bench, board=board, run_id=run_id, client=board)
        if self.rng.random() > LITTLE:
            return topic
        levels = topic.split("/")
        place = self.rng.randrange(len(levels))
        match self.rng.randrange(4):
            case 0:
                levels[place] = self.rng.choice(LEVELS)
            case 1:
                levels.insert(place, self.rng.choice(LEVELS))
            case 2:
                del levels[place]
            case _:
                levels = levels * self.rng.choice((2, 100))
        return "/".join(levels)

    def _names(self, in_hand: tuple[str, str] | None) -> tuple[str, str]:
        if in_hand is not None and self.rng.random() < 0.3:
            return in_hand
        self._serial += 1
        new = f"new-{self._serial}"
        board = self.rng.choice((*BOARDS, f"board-{new}"))
        return board, self.rng.choice((*RUNS, new, new, new))

    def _payload(self, kind: TopicKind) -> bytes:
        document = copy.deepcopy(self._examples[kind])
        if kind is TopicKind.ABORT:
            document["reason"] = self.rng.choice(REASONS)
        chance = self.rng.random()
        if chance < 0.15:
            return json.dumps(document).encode()
        if chance < 0.22:
            return self.rng.choice(WHOLE)
        if chance < 0.27:
            return self.rng.randbytes(self.rng.choice((1, 10, 100, 3000)))
        for _ in range(self.rng.choice((1, 1, 1, 2, 5))):
            self._change(document)
        payload = self._with_literal(json.dumps(document).encode())[:LARGEST_BYTES]
        for _ in range(self.rng.choice((0, 0, 0, 1, 3))):
            payload = self.rng.choice(_BYTES)(self.rng, payload)[:LARGEST_BYTES]
        return payload

    def _change(self, document: Any) -> None:
        """Do something to one place of a document, however deep it lies."""
        while isinstance(document, dict | list) and document:
            key: Any = self.rng.choice(list(document)) if isinstance(document, dict) else self._index(document)
            inner = document[key]
            if isinstance(inner, dict | list) and inner and self.rng.random() < 0.6:
                document = inner
                continue
            match self.rng.randrange(5):
                case 0:
                    del document[key]
                case 1 if isinstance(document, dict):
                    document[self.rng.choice(("", "v", "é", "__class__", "x" * 300, key + " "))] = copy.deepcopy(inner)
                case 2 if isinstance(document, list) and len(document) < MOST_REPEATED:
                    document *= self.rng.choice((2, 20))
                case _:
                    document[key] = copy.deepcopy(self.rng.choice(VALUES))
            return

    def _index(self, document: list[Any]) -> int:
        return self.rng.randrange(len(document))

    def _with_literal(self, payload: bytes) -> bytes:
        """Return a payload with one of its values written as JSON's writer would not."""
        values = list(re.finditer(rb"(?<=: )[^,{}\[\]]+", payload))
        if not values or self.rng.random() < 0.5:
            return payload
        found = self.rng.choice(values)
        return payload[: found.start()] + self.rng.choice(LITERALS) + payload[found.end() :]


def _flip(rng: random.Random, payload: bytes) -> bytes:
    if not payload:
        return payload
    place = rng.randrange(len(payload))
    return payload[:place] + bytes([payload[place] ^ 1 << rng.randrange(8)]) + payload[place + 1 :]


def _cut(rng: random.Random, payload: bytes) -> bytes:
    return payload[: rng.randint(0, len(payload))]


def _insert(rng: random.Random, payload: bytes) -> bytes:
    place = rng.randint(0, len(payload))
    return payload[:place] + rng.choice(LITERALS) + payload[place:]


def _repeat(rng: random.Random, payload: bytes) -> bytes:
    return payload * rng.choice((2, 3, 200))


_BYTES: tuple[Callable[[random.Random, bytes], bytes], ...] = (_flip, _flip, _cut, _insert, _repeat)
