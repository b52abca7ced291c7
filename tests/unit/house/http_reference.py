"""The part of docs/reference/http.md that is written from the application and its metrics.

`python -m tests.unit.house.http_reference` writes it; a test holds the document against it.
"""

from collections.abc import Iterator
from typing import Any

from prometheus_client import Metric

from daemon.health.health_desk import HEALTH_CHECKS, READINESS_CHECKS
from tests.unit.daemon.web.stage import WebStage
from tests.unit.deploy.promql import exporting
from tests.unit.house.documents import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "reference" / "http.md"
MARK = "<!-- From here on written by `python -m tests.unit.house.http_reference`; a test holds it fresh. -->"
_SUFFIX = {"counter": "_total", "info": "_info"}
_OF_THE_PROCESS = "process_"


def openapi() -> dict[str, Any]:
    """Return the description of the application, as it serves it at `/openapi.json`."""
    return dict(WebStage().application().openapi())


def reference() -> str:
    """Return every request and every metric, as Markdown."""
    checks = ", ".join(f"`{name}`" for name in HEALTH_CHECKS), ", ".join(f"`{name}`" for name in READINESS_CHECKS)
    lines = ["## Requests", "", "| request | what it does | statuses |", "|---|---|---|", *_requests()]
    lines += ["", f"Checks of `/healthz`: {checks[0]}. Checks of `/readyz`: {checks[1]}."]
    lines += ["", "## Metrics", "", "| metric | kind | labels | meaning |", "|---|---|---|---|", *_metrics()]
    return "\n".join(lines) + "\n"


def _requests() -> Iterator[str]:
    for path, methods in openapi()["paths"].items():
        for method, told in methods.items():
            meaning = " ".join(told["description"].split())
            yield f"| `{method.upper()} {path}` | {meaning} | {', '.join(sorted(told['responses']))} |"


def _metrics() -> Iterator[str]:
    for family in sorted(exporting().registry.collect(), key=lambda one: one.name):
        if not family.name.startswith(_OF_THE_PROCESS):
            name = family.name + _SUFFIX.get(family.type, "")
            yield f"| `{name}` | {family.type} | {_labels(family)} | {family.documentation} |"


def _labels(family: Metric) -> str:
    labels = {label for sample in family.samples for label in sample.labels} - {"le"}
    return ", ".join(f"`{label}`" for label in sorted(labels))


if __name__ == "__main__":
    head, _, _ = DOCUMENT.read_text().partition(MARK)
    DOCUMENT.write_text(f"{head.rstrip()}\n\n{MARK}\n\n{reference()}")
