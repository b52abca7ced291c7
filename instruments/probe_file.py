"""Probe file: another current probe or a shunt, declared in TOML."""

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from instruments.errors import SettingRefused
from instruments.probe_declaration import ProbeDeclaration, ProbeRange, refused


def read_declaration(path: Path) -> ProbeDeclaration:
    """Read a declaration file (TOML): `model`, `max_turns`, and a table `[[range]]` for each range.

    Raises:
        SettingRefused: it cannot be read, or does not describe a probe; says which key, and what it must be.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise refused(str(path), f"cannot be read as TOML: {error}") from error
    try:
        return _to_declaration(document)
    except SettingRefused as error:
        raise refused(str(path), str(error)) from error


def _to_declaration(document: dict[str, Any]) -> ProbeDeclaration:
    _check_keys(document, required={"model", "range"}, allowed={"model", "range", "max_turns"}, where="the file")
    tables = document.pop("range")
    if not (isinstance(tables, list) and all(isinstance(table, dict) for table in tables)):
        raise refused("range", "must be tables, each under its own line `[[range]]`")
    names = {field.name for field in fields(ProbeRange)}
    for table in tables:
        _check_keys(table, required=names - {"noise_a_rms"}, allowed=names, where="[[range]]")
    return ProbeDeclaration(ranges=tuple(ProbeRange(**table) for table in tables), **document)


def _check_keys(table: dict[str, Any], *, required: set[str], allowed: set[str], where: str) -> None:
    missing, unknown = sorted(required - table.keys()), sorted(table.keys() - allowed)
    if missing or unknown:
        raise refused(where, f"lacks {missing or 'nothing'}, and has the unknown keys {unknown or 'none'}")
