"""The published contract is fresh, and its references lead somewhere."""

import json
import re
from collections.abc import Iterator

from runners.asyncapi import document, text
from runners.topics import TopicKind, Topics


def test_the_committed_document_is_fresh(repository):
    path = repository / "docs" / "reference" / "asyncapi.json"
    assert path.read_text() == text(), "run: python -m runners.asyncapi > docs/reference/asyncapi.json"


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere():
    whole = json.loads(text())
    found = list(references(whole))
    assert len(found) > 20
    for reference in found:
        node = whole
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_topic_with_a_message_is_in_it():
    channels = document()["channels"]
    assert set(channels) == set(TopicKind)
    for kind, channel in channels.items():
        topic = re.sub("{.*?}", "x", channel["address"])
        assert Topics.parse(topic).kind == kind
        assert set(channel["parameters"]) == set(re.findall("{(.*?)}", channel["address"]))


def test_fields_carry_their_meaning():
    request = document()["components"]["schemas"]["RunRequest"]
    assert request["required"] == ["network", "batch_size"]
    assert all("description" in entry for entry in request["properties"].values())


def test_only_the_clock_exchange_goes_without_a_guarantee():
    operations = document()["operations"]
    loose = {name for name, operation in operations.items() if operation["bindings"]["mqtt"]["qos"] == 0}
    assert loose == {"receive_ping", "send_pong"}
