"""Configuration reference: JSON schema and page of the documentation, both from the classes themselves.

python -m daemon.configuration_reference schema > docs/reference/configuration.schema.json
python -m daemon.configuration_reference page > docs/reference/configuration.md
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from daemon.configuration import Configuration

JsonSchema = Mapping[str, Any]

_TYPE_NAMES = {"number": "float", "boolean": "true or false"}

_INTRODUCTION = """\
# Configuration

`joulebench daemon --config FILE` reads one TOML file. Two complete ones stand in `examples/`: `joulebench.toml` for the
simulated bench, `lab.toml` for real instruments. All problems of a file are reported at once, each with its key; a key
that is not listed here is one of them.

* A path that is not absolute starts at the folder of the file.
* An environment variable goes before the file: `JOULEBENCH_MQTT__HOST` before `host` in `[mqtt]`.
* Editors check and complete a file by `configuration.schema.json`, which stands beside this page.

This page and that schema are written by `python -m daemon.configuration_reference`.
"""


def schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration file."""
    document = Configuration.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document, "title": "joulebench configuration"}


def schema_text() -> str:
    """Return the schema as it is committed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def page_text() -> str:
    """Return the page of the documentation as it is committed."""
    document = schema()
    sections = [_section_text(name, entry, document) for name, entry in document["properties"].items()]
    return "\n".join([_INTRODUCTION, *sections])


def _section_text(name: str, entry: JsonSchema, document: JsonSchema) -> str:
    section = _resolved(entry, document)
    required = "required" if name in document["required"] else "may be left out"
    rows = "".join(_row(key, value, section, document) for key, value in section["properties"].items())
    table = f"| key | value | default | meaning |\n|---|---|---|---|\n{rows}"
    return f"## `[{name}]`: {required}\n\n{section['description']}\n\n{table}"


def _row(key: str, entry: JsonSchema, section: JsonSchema, document: JsonSchema) -> str:
    default = "required" if key in section.get("required", ()) else _default_text(entry.get("default"))
    meaning = " ".join(entry.get("description", "").split())
    return f"| `{key}` | {_value_text(entry, document)} | {default} | {meaning} |\n"


def _default_text(default: object) -> str:
    if default is None or default == []:
        return "none"
    return "the fourteen networks" if isinstance(default, list) else f"`{json.dumps(default)}`"


def _value_text(entry: JsonSchema, document: JsonSchema) -> str:
    entry = _resolved(entry, document)
    options = [option for option in entry.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        return " or ".join(_value_text(option, document) for option in options)
    if "const" in entry or "enum" in entry:
        return ", ".join(f"`{json.dumps(value)}`" for value in entry.get("enum", [entry.get("const")]))
    if entry["type"] == "array":
        return f"list of {_value_text(entry['items'], document)}"
    kind = str(entry["type"])
    name = "path" if entry.get("format") == "path" else _TYPE_NAMES.get(kind, kind)
    return " ".join([name, *_bounds(entry)])


def _bounds(entry: JsonSchema) -> Iterator[str]:
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "maximum": "<="}
    yield from (f"{sign} {entry[name]}" for name, sign in signs.items() if name in entry)
    if "pattern" in entry:
        yield f"matching `{entry['pattern']}`".replace("|", "\\|")


def _resolved(entry: JsonSchema, document: JsonSchema) -> JsonSchema:
    """Follow a reference, with what stands beside it."""
    if "$ref" not in entry:
        return entry
    target = document["$defs"][entry["$ref"].rpartition("/")[2]]
    return {**target, **entry}


if __name__ == "__main__":
    sys.stdout.write({"schema": schema_text, "page": page_text}[sys.argv[1]]())
