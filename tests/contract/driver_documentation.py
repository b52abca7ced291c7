"""What a driver's documentation must say: a verb first, a unit with every number, and every error that is raised."""

import ast
import builtins
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from instruments import errors
from instruments.visa_session import VisaSession
from metrology.errors import JoulebenchError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VERBS_ONLY = _words("ask bring connect describe get leave parse perform send tell throw")
"""Words that are nothing but an imperative."""
NOUNS_TOO = _words(
    "check clear close complete control drain drop end find force keep list measure open program read return run set "
    "start switch take wait yield"
)
"""Words that may be a noun as well: "Control loop", "Set of commands", "Return value". An object must follow them."""
OPENERS = _words(
    "a all an any anything as between both each every everything how it its nothing one out the this until what where "
    "whether which who"
)
"""First words of an object or a clause, which never follow a noun that heads a title."""

UNITS = _words("a bytes counts div hz j ms ns ohm s v w")
"""Parts of a name that are a unit."""
COUNTS = _words("baud bit channel code count counts flags fraction index number points port ratio segments turns")
"""Last parts of a name of what has no unit."""
STATED = re.compile(
    r"in (its|the) channel's unit|in the number's unit|in units per|\bfraction\b|\bNumber of\b|\bIndex\b"
)
"""How a docstring says that a number has none, or the unit that another field names."""
UNIT_WORDS = re.compile(r"\b(volt|ampere|seconds?|hertz|watt|joule)\b")


def verb_problem(doc: str | None) -> str:
    """Return what is wrong with how a docstring begins; nothing where it is an imperative."""
    words = re.findall(r"\w+|[^\w\s]", (doc or "").strip())
    first, second = (*(word.lower() for word in words[:2]), "", "")[:2]
    if first in VERBS_ONLY or (first in NOUNS_TOO and second in OPENERS):
        return ""
    return f"begins with {' '.join(words[:3])!r}, which is no imperative"


def number_problems(function: Callable[..., Any]) -> list[str]:
    """Return the numbers that a function takes or returns without saying in what unit."""
    hints = typing.get_type_hints(function)
    name = function.__name__
    returned = hints.pop("return", None)
    doc = function.__doc__ or ""
    told = {name for name, text in _parameter_docs(doc).items() if STATED.search(text)}
    numbers = [one for one, hint in hints.items() if is_number(hint)]
    wrong = [f"parameter {one}" for one in numbers if not _has_unit(one) and one not in told]
    if is_number(returned) and not _has_unit(name):
        wrong.append("what it returns")
    members = [one for one in typing.get_args(returned) if is_number(one)]
    if typing.get_origin(returned) is tuple and len(UNIT_WORDS.findall(doc)) < len(members):
        wrong.append("what it returns")
    return wrong


def field_problems(cls: type) -> list[str]:
    """Return the numbers among a class's fields and properties that do not say in what unit they are."""
    docs = _field_docs(cls) if is_dataclass(cls) else {}
    hints = typing.get_type_hints(cls) if is_dataclass(cls) else {}
    properties = {name: one.fget for name, one in vars(cls).items() if isinstance(one, property)}
    hints |= {name: typing.get_type_hints(one).get("return") for name, one in properties.items()}
    docs |= {name: one.__doc__ or "" for name, one in properties.items()}
    return [
        name
        for name, hint in hints.items()
        if not name.startswith("_") and is_number(hint) and not (_has_unit(name) or STATED.search(docs.get(name, "")))
    ]


def is_number(hint: Any) -> bool:
    """Whether a type is float or int, or either of them or None."""
    members = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds = [one for one in members if one is not type(None)]
    return bool(kinds) and all(one in (float, int) for one in kinds)


def undocumented_errors(function: Callable[..., Any], owner: type | None) -> list[str]:
    """Return the names of the errors that a function raises and does not say so."""
    told = documented_errors(function) | (documented_errors(owner) if owner else set())
    covers = [one for one in told if one is not errors.InstrumentError]
    missing = {
        one
        for one in _raised(function, owner, frozenset())
        if one not in told and not any(issubclass(one, base) for base in covers)
    }
    return sorted(one.__name__ for one in missing)


def documented_errors(what: Callable[..., Any]) -> set[type]:
    """Return the errors under `Raises:` of a function, or of a class for all its methods; a name that is none fails."""
    section = re.search(r"^Raises:\n((?:[ ]{4,}.+\n?)+)", inspect.cleandoc(what.__doc__ or "") + "\n", re.MULTILINE)
    names = re.findall(r"^ {4}(\w+):", section[1], re.MULTILINE) if section else []
    known = vars(builtins) | vars(errors) | getattr(what, "__globals__", {})
    return {known[name] for name in names}


def _has_unit(name: str) -> bool:
    parts = name.lower().split("_")
    return parts[-1] in COUNTS or any(part in UNITS for part in parts[1:])


def _tree(what: Any) -> Any:
    nodes = _nodes(str(inspect.getsourcefile(what)))
    return nodes[what.__name__ if isinstance(what, type) else what.__code__.co_firstlineno]


@cache
def _nodes(path: str) -> dict[str | int, ast.AST]:
    """Return the functions of a module by their first line, decorators included, and its classes by name."""
    found: dict[str | int, ast.AST] = {}
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[min([node.lineno, *(one.lineno for one in node.decorator_list)])] = node
    return found


def _parameter_docs(doc: str) -> dict[str, str]:
    """Return what a docstring says of each parameter, the first line of it."""
    section = re.search(r"^Args:\n((?:[ ]{4,}.+\n?)+)", inspect.cleandoc(doc) + "\n", re.MULTILINE)
    return dict(re.findall(r"^ {4}(\w+): (.+)$", section[1], re.MULTILINE)) if section else {}


def _field_docs(cls: type) -> dict[str, str]:
    body = _tree(cls).body
    return {
        field.target.id: text.value.value
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


def _raised(function: Callable[..., Any], owner: type | None, seen: frozenset[Any]) -> set[type]:
    """Return what a function raises itself and through its module; of other modules, what they say that they raise."""
    if function in seen:
        return set()
    found: set[type] = set()
    for node, caught in _reached(_tree(function), (), function):
        new = set(_errors_of(node, function, owner, seen | {function}))
        found |= {one for one in new if not issubclass(one, caught)}
    return found


def _reached(node: ast.AST, caught: tuple[type, ...], function: Any) -> Iterator[tuple[ast.AST, tuple[type, ...]]]:
    """Yield every node, with the errors that are caught around it for good."""
    yield node, caught
    if isinstance(node, ast.Try):
        ours = tuple(kind for handler in node.handlers for kind in _kinds(handler, function))
        for child in node.body:
            yield from _reached(child, caught + ours, function)
        for child in (*node.handlers, *node.orelse, *node.finalbody):
            yield from _reached(child, caught, function)
        return
    for child in ast.iter_child_nodes(node):
        yield from _reached(child, caught, function)


def _kinds(handler: ast.ExceptHandler, function: Any) -> Iterator[type]:
    passes_on = any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
    if not passes_on and handler.type is not None:
        named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        yield from (kind for one in named if isinstance(kind := _looked_up(one, function, None), type))


def _errors_of(node: ast.AST, function: Any, owner: type | None, seen: frozenset[Any]) -> Iterator[type]:
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield from _made_by(_looked_up(node.exc.func, function, owner))
        return
    called = node.func if isinstance(node, ast.Call) else node if isinstance(node, ast.Attribute) else None
    target = None if called is None else _looked_up(called, function, owner)
    if isinstance(target, property):
        target = target.fget
    if not inspect.isfunction(target) or not target.__module__.startswith(("instruments", function.__module__)):
        return
    if target.__module__ == function.__module__:
        yield from _raised(target, owner, seen)
    elif target.__qualname__.startswith(VisaSession.__name__):
        yield from documented_errors(target) - documented_errors(VisaSession)  # the protocols say that once for all
    else:
        yield from documented_errors(target)


def _made_by(target: Any) -> Iterator[type]:
    """Yield the errors that an expression after `raise` makes: a class, or a function that says what it returns."""
    if inspect.isfunction(target):
        returned = typing.get_type_hints(target).get("return")
        yield from (one for one in typing.get_args(returned) or (returned,) if _is_ours(one))
    elif _is_ours(target):
        yield target


def _is_ours(error: Any) -> bool:
    return isinstance(error, type) and issubclass(error, JoulebenchError)


def _looked_up(node: ast.AST, function: Any, owner: type | None) -> Any:
    """Return what a name, `self.name` or `self.part.name` stands for; None where that is not known."""
    if isinstance(node, ast.Name):
        return function.__globals__.get(node.id, vars(builtins).get(node.id))
    if not isinstance(node, ast.Attribute) or owner is None:
        return None
    if isinstance(node.value, ast.Name) and node.value.id == "self":
        found = inspect.getattr_static(owner, node.attr, None)
        return getattr(found, "__func__", found)
    if isinstance(node.value, ast.Attribute) and getattr(node.value.value, "id", "") == "self":
        part = _part_types(owner).get(node.value.attr)
        found = inspect.getattr_static(part, node.attr, None) if isinstance(part, type) else None
        return getattr(found, "__func__", found)
    return None


def _part_types(owner: type) -> dict[str, Any]:
    if is_dataclass(owner):
        hints = typing.get_type_hints(owner)
        return {field.name: hints[field.name] for field in fields(owner)}
    return typing.get_type_hints(vars(owner).get("__init__", lambda: None))
