"""The pages about HTTP: requests, checks, metrics and alerts are those of the source."""

import re

import yaml

from tests.unit.deploy.test_alert_rules import RULES
from tests.unit.house.documents import REPOSITORY
from tests.unit.house.http_reference import DOCUMENT, MARK, openapi, reference

GUIDE = REPOSITORY / "docs" / "how-to" / "watch-the-daemon.md"


def test_the_reference_is_that_of_the_application() -> None:
    again = "write it again: python -m tests.unit.house.http_reference"
    assert DOCUMENT.read_text().partition(MARK)[2].strip() == reference().strip(), again


def test_what_changes_anything_asks_for_the_token() -> None:
    changing = {
        (method, path): set(told["responses"])
        for path, methods in openapi()["paths"].items()
        for method, told in methods.items()
        if method != "get"
    }
    assert changing, "else this looks at nothing"
    assert all({"401", "403"} <= statuses for statuses in changing.values())


def test_the_guide_lists_every_alert() -> None:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    listed = re.findall(r"^\| `(Joulebench\w+)` \| (\w+) \|", GUIDE.read_text(), re.MULTILINE)
    assert listed == [(rule["alert"], rule["labels"]["severity"]) for rule in group["rules"]]
