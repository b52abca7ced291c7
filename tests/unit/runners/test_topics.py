"""Topics: built, read back, and safe against names that would be more than one level."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.errors import MessageError
from runners.topics import TopicKind, TopicName, Topics, shapes

NAMES = {"board": "b-1", "run_id": "r_1", "client": "c1"}


def names_of(kind: TopicKind) -> dict[str, str]:
    return {key: NAMES[key] for key in re.findall(r"{(\w+)}", shapes()[kind]) if key != "bench"}


@pytest.mark.parametrize("kind", TopicKind)
def test_what_is_built_is_read_back(kind):
    topic = Topics("lab1").build(kind, **names_of(kind))
    assert Topics.parse(topic) == TopicName(kind=kind, bench="lab1", **names_of(kind))


def test_the_topics_are_those_of_the_contract():
    topics = Topics("lab1")
    assert [
        topics.status,
        topics.request("b1", "r1"),
        topics.started("b1", "r1"),
        topics.finished("b1", "r1"),
        topics.abort("b1", "r1"),
        topics.state("r1"),
        topics.result("r1"),
        topics.ping("c1"),
        topics.pong("c1"),
        topics.board_status("b1"),
        topics.board_command("b1"),
    ] == [
        "joulebench/v1/lab1/status",
        "joulebench/v1/lab1/boards/b1/runs/r1/request",
        "joulebench/v1/lab1/boards/b1/runs/r1/started",
        "joulebench/v1/lab1/boards/b1/runs/r1/finished",
        "joulebench/v1/lab1/boards/b1/runs/r1/abort",
        "joulebench/v1/lab1/runs/r1/state",
        "joulebench/v1/lab1/runs/r1/result",
        "joulebench/v1/lab1/clock/c1/ping",
        "joulebench/v1/lab1/clock/c1/pong",
        "joulebench/v1/lab1/boards/b1/status",
        "joulebench/v1/lab1/boards/b1/command",
    ]


@pytest.mark.parametrize("kind", TopicKind)
def test_a_filter_catches_its_topics(kind):
    topics = Topics("lab1")
    pattern = topics.filter(kind).replace("+", "[^/]+")
    assert re.fullmatch(pattern, topics.build(kind, **names_of(kind)))


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a b", "ä", "x" * 65, "r1\n"])
def test_a_name_that_is_no_level_is_refused(name):
    with pytest.raises(MessageError, match="run_id"):
        Topics("lab1").state(name)
    with pytest.raises(MessageError, match="bench"):
        Topics(name)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "joulebench/v2/lab1/status",
        "joulebench/v1/lab1",
        "joulebench/v1/lab1/runs/r1/states",
        "joulebench/v1/lab1/runs/r1/state\n",
        "joulebench/v1/lab1/boards/b1/runs//request",
        "joulebench/v1/lab 1/status",
    ],
)
def test_what_is_no_topic_of_ours_is_refused(topic):
    with pytest.raises(MessageError):
        Topics.parse(topic)


@given(st.text())
def test_no_topic_breaks_the_reader(topic):
    with pytest.raises(MessageError):
        Topics.parse(topic)
