"""docs/reference/messages.md: the AsyncAPI document as a page, with the examples of mqtt.md.

`python -m tests.unit.house.message_reference` writes it; a test holds the page against it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runners.asyncapi import document
from tests.unit.house.documents import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "reference" / "messages.md"
EXAMPLES = REPOSITORY / "docs" / "reference" / "mqtt.md"
MARKED = re.compile(r"^<!-- message: (\w+) -->\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UNITS = (
    ("_utc_ns", "ns of UTC"), ("_monotonic_ns", "ns of a monotonic clock"), ("_ns", "ns"), ("_per_s", "1/s"),
    ("_bytes", "bytes"), ("_j", "J"), ("_w", "W"), ("_v", "V"), ("_a", "A"), ("_s", "s"), ("_a2s", "A²s"),
)  # fmt: skip
"""Unit that the end of a key's name stands for; the first that fits."""
HEAD = """\
# MQTT: every message, key by key

<!-- Written by `python -m tests.unit.house.message_reference` from the message classes; a test holds it fresh. -->

The same as [`asyncapi.json`](asyncapi.json), to read: each topic with who sends it, each message with its keys, their
types, units and bounds. How messages follow one another, and what they mean together, is in [MQTT](mqtt.md). The unit
is in a key's name. Unknown keys are ignored, known ones checked strictly. A key that is not *required* may be left out,
and then has its default.
"""


def reference() -> str:
    """Return the whole page."""
    contract = document()
    schemas = contract["components"]["schemas"]
    examples = dict(MARKED.findall(EXAMPLES.read_text()))
    messages = contract["components"]["messages"]
    parts = sorted(set(schemas) - set(messages), key=str.lower)
    sections = [HEAD, "## Topics\n", *_topics(contract), "\n## Messages\n"]
    for name in messages:
        sections += [f"### {name}\n", *_keys(schemas[name]), "", "```json", examples[name].rstrip(), "```\n"]
    sections.append("## Parts of messages\n")
    for name in parts:
        sections += [f"### {name}\n", *_keys(schemas[name]), ""]
    return "\n".join(sections).rstrip() + "\n"


def _topics(contract: Mapping[str, Any]) -> Iterator[str]:
    yield "| topic | sent by | QoS | retained | message |"
    yield "|---|---|---|---|---|"
    operations = {one["channel"]["$ref"].rpartition("/")[2]: one for one in contract["operations"].values()}
    for name, channel in contract["channels"].items():
        operation = operations[name]
        mqtt = operation["bindings"]["mqtt"]
        sender = "daemon or lab" if operation["action"] == "send" else "board, or who asks"
        messages = ", ".join(_link(one) for one in channel["messages"])
        retained = "yes" if mqtt["retain"] else "no"
        yield f"| `{channel['address']}` | {sender} | {mqtt['qos']} | {retained} | {messages} |"
    yield ""
    shown: dict[str, str] = {}
    for channel in contract["channels"].values():
        shown |= {key: about["description"] for key, about in channel["parameters"].items()}
    yield "| in a topic | meaning |"
    yield "|---|---|"
    for key, text in shown.items():
        words, _, pattern = text.partition("; matches ")
        yield f"| `{{{key}}}` | {words}; matches `{pattern}` |"


def _keys(schema: Mapping[str, Any]) -> Iterator[str]:
    yield _plain(schema.get("description", ""))
    yield ""
    if "enum" in schema:
        yield f"One of {_words(schema['enum'])}."
        return
    yield "| key | type | unit | bounds | default | meaning |"
    yield "|---|---|---|---|---|---|"
    required = set(schema.get("required", ()))
    for key, about in schema["properties"].items():
        default = "**required**" if key in required else f"`{_json(about.get('default'))}`"
        row = (f"`{key}`", _type(about), _unit(key), _bounds(about), default, _plain(about.get("description", "")))
        yield f"| {' | '.join(row)} |"


def _type(about: Mapping[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(_type(one) for one in about["anyOf"])
    if "$ref" in about:
        return _link(about["$ref"].rpartition("/")[2])
    if "enum" in about or "const" in about:
        return _words(about.get("enum", [about.get("const")]), joined=" or ")
    if about.get("type") == "array":
        return f"list of {_type(about['items'])}" if "items" in about else "list"
    return {"null": "null", "object": "object"}.get(about.get("type", "object"), about.get("type", "any"))


def _bounds(about: Mapping[str, Any]) -> str:
    texts = []
    for one in (about, *about.get("anyOf", ()), *([about["items"]] if "items" in about else ())):
        low, high = one.get("minimum"), one.get("maximum")
        if low is not None or high is not None:
            texts.append(f"{'' if low is None else f'{low:,} ≤ '}value{'' if high is None else f' ≤ {high:,}'}")
        if "maxLength" in one:
            texts.append(f"{one.get('minLength', 0)} to {one['maxLength']} characters")
        if "maxItems" in one:
            texts.append(f"{one.get('minItems', 0)} to {one['maxItems']:,} items")
        if "pattern" in one:
            texts.append("`" + one["pattern"].replace("|", "\\|") + "`")
    return "; ".join(texts)


def _unit(key: str) -> str:
    return next((unit for ending, unit in UNITS if key.endswith(ending)), "")


def _words(values: list[Any], *, joined: str = ", ") -> str:
    return joined.join(f"`{_json(value)}`" for value in values)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("|", "\\|")


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(reference())
