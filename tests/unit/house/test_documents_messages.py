"""docs/reference/messages.md is the contract as the classes have it, every key, bound and unit."""

import json

import pytest

from runners.asyncapi import document
from tests.unit.house.message_reference import DOCUMENT, reference


def test_the_page_is_fresh() -> None:
    assert DOCUMENT.read_text() == reference(), "write it again: python -m tests.unit.house.message_reference"


def section(name: str) -> str:
    return reference().split(f"### {name}\n")[1].split("\n### ")[0]


def test_every_channel_message_and_key_is_on_it() -> None:
    contract = document()
    page = reference()
    assert not [one["address"] for one in contract["channels"].values() if f"| `{one['address']}` |" not in page]
    for name, schema in contract["components"]["schemas"].items():
        keys = schema.get("properties", {})
        assert not [key for key in keys if f"| `{key}` |" not in section(name)], name


def test_every_message_has_an_example_with_keys_that_exist() -> None:
    for name in document()["components"]["messages"]:
        (example,) = section(name).split("```json\n")[1:]
        assert set(json.loads(example.split("```")[0])) <= set(document()["components"]["schemas"][name]["properties"])


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("RunRequest", "| `batch_size` | integer |  | 1 ≤ value ≤ 1,000,000,000,000 | **required** |"),
        ("RunRequest", "| `sync` | list of string |  | 1 to 8 items; 1 to 64 characters;"),
        ("RunResult", "| `gross_energy_per_image_j` | [Quantity](#quantity) or null | J |  | `null` |"),
        ("RunResult", "| `quality` | `\"valid\"` or `\"degraded\"` or `\"invalid\"` |  |  | **required** |"),
        ("RunState", "| `at_utc_ns` | integer | ns of UTC | 0 ≤ value ≤ 9,223,372,036,854,775,807 | **required** |"),
        ("RunPhase", "One of `\"accepted\"`, `\"armed\"`"),
    ],
)  # fmt: skip
def test_types_units_bounds_and_defaults_are_told(name: str, row: str) -> None:
    assert row in section(name)
