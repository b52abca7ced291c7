"""What a PromQL expression asks for: metrics, and the labels by which it picks or groups them."""

import re

from daemon.metrics import Metrics
from runners.messages import RunPhase

FUNCTIONS_AND_WORDS = frozenset(
    {
        *("sum", "min", "max", "avg", "count", "topk", "by", "without", "and", "or", "unless", "on", "ignoring"),
        *("rate", "increase", "predict_linear", "histogram_quantile", "label_values", "bool"),
    }
)
OF_PROMETHEUS = {"up": frozenset({"job", "instance"})}
"""Metrics that Prometheus makes itself."""
OF_THE_SCRAPE = frozenset({"job", "instance"})
"""Labels that Prometheus puts on everything that it reads."""

_MATCHERS = re.compile(r"([A-Za-z_:][\w:]*)?\{([^}]*)\}")
_MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"[A-Za-z_:][\w:]*")


def exporting() -> Metrics:
    """Return the metrics of a daemon, each of them with a series."""
    metrics = Metrics()
    metrics.runs.ended("r", RunPhase.FAILED, "bad_block")  # the one metric without a series before its first event
    metrics.bench.watch_check("disk", lambda: True)
    metrics.broker.watch_queue("inbox", lambda: 0, limit=1)
    return metrics


def exported() -> dict[str, frozenset[str]]:
    """Return the labels of every series that a daemon exports, by its name."""
    samples = [sample for family in exporting().registry.collect() for sample in family.samples]
    return {one.name: frozenset(one.labels) for one in samples} | OF_PROMETHEUS


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics in an expression."""
    bare = _RANGE.sub("", _GROUPING.sub("", re.sub(r"\{[^}]*\}", "", expression)))
    names = re.findall(r"(?<![\w$.])[A-Za-z_:][\w:]*", bare)
    return {name for name in names if name not in FUNCTIONS_AND_WORDS}


def unknown_in(expression: str, known: dict[str, frozenset[str]]) -> set[str]:
    """Return what an expression asks for and no daemon exports: metrics, and labels of theirs."""
    metrics = metrics_in(expression)
    labels = frozenset().union(*(known.get(name, frozenset()) for name in metrics)) | OF_THE_SCRAPE | {"le"}
    wrong = {name for name in metrics if name not in known}
    for name, matchers in _MATCHERS.findall(expression):
        own = known.get(name, labels) | OF_THE_SCRAPE
        wrong |= {f"{name}{{{label}}}" for label in _MATCHED.findall(_unquoted(matchers)) if label not in own}
    for group in _GROUPING.findall(expression):
        wrong |= {label for label in _NAME.findall(group) if label not in labels}
    return wrong


def _unquoted(text: str) -> str:
    return re.sub(r'"[^"]*"', '""', text)
