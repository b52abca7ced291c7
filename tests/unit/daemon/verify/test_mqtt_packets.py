"""Packets of MQTT 3.1.1, cut out of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.verify.faults.mqtt_packets import PacketSplitter, is_publish, repeated, topic_of


def packet(first: int, body: bytes) -> bytes:
    length, digits = len(body), []
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([first, *digits]) + body


def publish(topic: str, payload: bytes, *, qos: int = 1) -> bytes:
    name = topic.encode()
    number = b"\x00\x07" if qos else b""
    return packet(0x30 | qos << 1, len(name).to_bytes(2, "big") + name + number + payload)


@given(
    bodies=st.lists(st.tuples(st.sampled_from([0x10, 0x30, 0x32, 0xC0]), st.integers(0, 20_000)), max_size=6),
    cuts=st.lists(st.integers(1, 5000), min_size=1, max_size=8),
)
def test_packets_come_out_whole_however_the_stream_is_cut(bodies: list[tuple[int, int]], cuts: list[int]) -> None:
    packets = [packet(first, bytes(size)) for first, size in bodies]
    stream, splitter, found = b"".join(packets), PacketSplitter(), list[bytes]()
    position = number = 0
    while position < len(stream):
        size = cuts[number % len(cuts)]
        found += splitter.feed(stream[position : position + size])
        position, number = position + size, number + 1
    assert found == packets


def test_what_is_no_mqtt_is_refused() -> None:
    with pytest.raises(ValueError, match="no MQTT"):
        PacketSplitter().feed(b"\x30\xff\xff\xff\xff\x01")


def test_a_message_is_known_by_its_header() -> None:
    long = publish("joulebench/v1/b/runs/r/state", bytes(300))
    assert is_publish(long)
    assert topic_of(long) == "joulebench/v1/b/runs/r/state"
    assert not is_publish(packet(0xC0, b""))


def test_a_repeated_message_is_marked_where_its_quality_asks() -> None:
    assert repeated(publish("a", b"x"))[0] == 0x3A
    assert repeated(publish("a", b"x"))[1:] == publish("a", b"x")[1:]
    assert repeated(publish("a", b"x", qos=0)) == publish("a", b"x", qos=0)
