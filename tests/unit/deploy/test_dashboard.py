"""The dashboard: whole, without overlaps, each number with a unit, each expression about what is exported."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deploy.promql import exported, unknown_in

FILE = Path(__file__).resolve().parents[3] / "deploy" / "grafana" / "joulebench.json"
UNITS = {"none", "short", "s", "dtdurations", "bytes", "volt", "amp", "watt"}
"""Grafana's names of the units in use (its `valueFormats`)."""
KINDS = {"stat", "timeseries", "state-timeline", "bargauge"}
WIDTH = 24
"""Columns of Grafana's grid."""


def dashboard() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text()))


def panels() -> list[dict[str, Any]]:
    return [one for one in dashboard()["panels"] if one["type"] != "row"]


def by_title(panel: dict[str, Any]) -> str:
    return str(panel["title"])


@pytest.mark.parametrize("panel", panels(), ids=by_title)
def test_each_panel_asks_for_what_is_exported(panel: dict[str, Any]) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        assert unknown_in(target["expr"], exported()) == set(), target["expr"]
        assert 'instance=~"$instance"' in target["expr"], "the choice of daemons holds for every panel"


@pytest.mark.parametrize("panel", panels(), ids=by_title)
def test_each_panel_is_whole(panel: dict[str, Any]) -> None:
    assert panel["type"] in KINDS
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["description"].endswith((".", "?"))
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    references = [target["refId"] for target in panel["targets"]]
    assert references == [chr(ord("A") + index) for index in range(len(references))]


def test_it_can_be_loaded_into_any_grafana() -> None:
    whole = dashboard()
    assert whole["id"] is None, "a number would name another Grafana's"
    assert whole["schemaVersion"] >= 36
    assert {one["name"] for one in whole["templating"]["list"]} == {"datasource", "instance"}
    numbers = [one["id"] for one in whole["panels"]]
    assert len(numbers) == len(set(numbers))


def test_no_panel_lies_on_another() -> None:
    places = [one["gridPos"] for one in dashboard()["panels"]]
    assert all(one["x"] >= 0 and one["x"] + one["w"] <= WIDTH for one in places)
    overlapping = [
        (one, other)
        for one, other in combinations(places, 2)
        if one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    ]
    assert overlapping == []


def test_everything_that_the_daemon_exports_is_shown() -> None:
    text = FILE.read_text()
    stems = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name in exported()}
    unseen = {stem for stem in stems if stem.startswith("joulebench_") and stem not in text}
    assert unseen == set()
