"""Reason codes, as the source has them: every place where one is written down."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.house.documents import REPOSITORY

_PLACES = {"RunRefusal": 0, "SupplyRefusal": 0, "_give_up": 0, "refuse": 1, "_end": 2}
"""Calls that take a reason code by position."""


def codes_in(package: str) -> set[str]:
    """Return each reason code that the modules of a package write down."""
    return {code for path in sorted((REPOSITORY / package).rglob("*.py")) for code in codes_of(path)}


def codes_of(path: Path) -> Iterator[str]:
    """Yield the reason codes of one module."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=function, args=arguments, keywords=keywords):
                place = _PLACES.get(_name(function), len(arguments))
                yield from _texts(arguments[place : place + 1])
                yield from _texts([one.value for one in keywords if one.arg == "reason"])
            case ast.ClassDef(body=body):
                yield from _texts([one.value for one in body if isinstance(one, ast.Assign) and _is_reason(one)])


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_reason(assignment: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "reason" for target in assignment.targets)


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
