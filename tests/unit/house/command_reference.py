"""The part of docs/reference/cli.md that is written from the commands themselves.

`python -m tests.unit.house.command_reference` writes it; a test holds the document against it.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import typer.main

from tests.unit.house.documents import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "reference" / "cli.md"
MARK = "<!-- From here on written by `python -m tests.unit.house.command_reference`; a test holds it fresh. -->"


def commands() -> Iterator[tuple[str, Any]]:
    """Yield each verb that does something with the words that call it, in the order of `--help`."""
    from daemon.cli.main import app

    yield from _leaves("joulebench", typer.main.get_command(app))


def _leaves(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    verbs = getattr(command, "commands", {})
    if not verbs or command.invoke_without_command:
        yield words, command
    for name, verb in verbs.items():
        yield from _leaves(f"{words} {name}", verb)


def reference() -> str:
    """Return every verb with its arguments and options, as Markdown."""
    return "\n".join(_section(words, command) for words, command in commands())


def _section(words: str, command: Any) -> str:
    parameters = [one for one in command.params if "--help" not in one.opts]
    arguments = [_argument(one) for one in parameters if one.param_type_name == "argument"]
    lines = [f"## `{' '.join([words, *arguments])}`", "", (command.help or "").replace("\n\n", "\n").strip(), ""]
    lines += ["| option | default | meaning |", "|---|---|---|"]
    lines += [_row(one) for one in parameters]
    return "\n".join(lines) + "\n"


def _row(parameter: Any) -> str:
    name = _argument(parameter) if parameter.param_type_name == "argument" else _option(parameter)
    meaning = " ".join(str(getattr(parameter, "help", None) or "").split())
    return f"| `{name}` | {_default(parameter)} | {meaning} |"


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name)


def _option(parameter: Any) -> str:
    name = "/".join(max(names, key=len) for names in (parameter.opts, parameter.secondary_opts) if names)
    return name if getattr(parameter, "is_flag", False) else f"{name} {_value(parameter)}"


def _value(parameter: Any) -> str:
    """Return what stands for an option's value: its metavar, its choices, or what kind of value it is."""
    if parameter.metavar:
        return str(parameter.metavar).replace("|", "/")  # a bar would end the table's cell
    kind = parameter.type_descriptor.annotation
    if get_origin(kind) is Literal:
        return "/".join(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "/".join(str(one.value) for one in kind)
    kinds = [one for one in get_args(kind) if one is not type(None)] or [kind]
    return {"int": "N", "float": "X", "str": "TEXT"}[kinds[0].__name__]


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = getattr(parameter.default, "value", parameter.default)
    return "-" if default is None or default is False else f"`{default}`"


if __name__ == "__main__":
    head, _, _ = DOCUMENT.read_text().partition(MARK)
    DOCUMENT.write_text(f"{head.rstrip()}\n\n{MARK}\n\n{reference()}")
