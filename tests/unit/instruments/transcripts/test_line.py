"""Lines of a transcript: what goes in comes out, and what is none is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.transcripts.errors import BadTranscript
from instruments.transcripts.line import Event, Failure, Line

failures = st.builds(
    Failure,
    kind=st.text(max_size=9),
    text=st.text(max_size=9),
    code=st.none() | st.integers(),
    instrument=st.text(max_size=9),
    operation=st.text(max_size=9),
)
lines = st.builds(
    Line,
    role=st.sampled_from(["oscilloscope", "power_supply"]),
    event=st.sampled_from(Event),
    data=st.binary(max_size=40) | st.sampled_from([b":SINGle\n", b"\x00\xff", b"a\r\n", b"\x1b"]),
    failure=st.none() | failures,
    utc_ns=st.integers(min_value=0),
    took_ns=st.integers(min_value=0),
)


@given(lines)
def test_a_line_is_read_as_it_was_written(line: Line) -> None:
    text = line.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert Line.from_json(json.loads(text)) == line


def test_messages_can_be_read_by_people_and_binary_data_is_base64() -> None:
    message = Line(role="oscilloscope", event=Event.WRITE, data=b":SINGle\n", utc_ns=1, took_ns=2)
    assert json.loads(message.to_json()) == {
        "utc_ns": 1,
        "took_ns": 2,
        "role": "oscilloscope",
        "event": "write",
        "text": ":SINGle\n",
    }
    block = Line(role="oscilloscope", event=Event.BLOCK, data=b"\x00\x01")
    assert json.loads(block.to_json())["base64"] == "AAE="


@pytest.mark.parametrize(
    "change",
    [
        {"event": "sing"},
        {"event": None},
        {"utc_ns": "soon"},
        {"utc_ns": float("inf")},
        {"base64": "%"},
        {"text": "µ"},
        {"failure": {"a": 1}},
        {"failure": {"kind": 5, "text": "late"}},
        {"failure": {"kind": "VisaIOError", "text": "late", "code": []}},
        {"failure": {"kind": "VisaIOError", "text": "late", "code": True}},
    ],
)
def test_what_is_no_line_is_refused(change: dict[str, object]) -> None:
    good = json.loads(Line(role="oscilloscope", event=Event.READ, data=b"1\n").to_json())
    with pytest.raises(BadTranscript, match="is no event of a transcript"):
        Line.from_json(good | change)


def test_a_line_says_in_few_words_what_happened() -> None:
    assert str(Line(role="r", event=Event.WRITE, data=b":STOP\n")) == r"write ':STOP\n'"
    assert str(Line(role="r", event=Event.CLOSE)) == "close"
    block = Line(role="r", event=Event.BLOCK, data=b"a" * 1000)
    assert str(block) == f"block of 1000 bytes '{'a' * 60}'..."
    failed = Line(role="r", event=Event.READ, failure=Failure(kind="VisaIOError", text="time-out"))
    assert str(failed) == "read which failed with VisaIOError"
