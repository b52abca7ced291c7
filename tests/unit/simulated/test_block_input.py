"""What a controller sends: messages with blocks and strings in them, in whatever pieces they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.simulated.block_input import split_messages, split_outside
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.scope_settings import ChannelSettings, ScopeSettings
from instruments.simulated.scpi_values import bytes_to_block
from instruments.simulated.setup_block import settings_to_setup, setup_to_settings, text_to_block
from tests.unit.simulated.hand_clock import HandBench


@given(data=st.binary(max_size=60), cut=st.integers(0, 80))
def test_a_block_arrives_whole_whatever_is_in_it_and_wherever_it_is_cut(data: bytes, cut: int) -> None:
    message = b":SYSTem:SETup " + bytes_to_block(data)
    sent = message + b"\n*IDN?\n"
    complete, rest = split_messages(sent[:cut])
    more, rest = split_messages(rest + sent[cut:])
    assert [*complete, *more] == [message, b"*IDN?"]
    assert rest == b""


@given(data=st.binary(max_size=60))
def test_no_separator_is_seen_inside_a_block(data: bytes) -> None:
    block = bytes_to_block(data).decode("latin-1")
    assert split_outside(f"A {block};B", ";") == [f"A {block}", "B"]
    assert text_to_block(block) == data


@pytest.mark.parametrize(
    ("received", "messages", "rest"),
    [
        (b"A '#8;\nB", [b"A '#8;"], b"B"),  # a quote ends with its message
        (b"A #x\nB #\nC", [b"A #x", b"B #"], b"C"),
        (b"A #2ab\nB", [b"A #2ab"], b"B"),
        (b"A #3100\n", [], b"A #3100\n"),
    ],
)
def test_what_only_looks_like_a_literal_ends_with_its_line(received: bytes, messages, rest: bytes) -> None:
    assert split_messages(received) == (messages, rest)


@pytest.mark.parametrize("text", ["", "#", "#0", "#8", "#13ab", "#13abcd", "#2x1a", "abc"])
def test_a_parameter_that_is_no_block_is_refused(text: str) -> None:
    with pytest.raises(ScpiError, match="-161"):
        text_to_block(text)


def test_a_set_up_holds_every_setting() -> None:
    settings = ScopeSettings(average_count=77)
    settings.channels[3] = ChannelSettings(displayed=True, input_scale_v=0.02, ratio=10.0, unit="AMP", label="me")
    settings.time_base.range_s, settings.trigger.levels["CHAN3"], settings.pod.lines[4] = 2.0, 0.7, False
    restored = setup_to_settings(settings_to_setup(settings))
    assert restored == settings
    assert restored.channels[3] is not settings.channels[3]


@pytest.mark.parametrize("setup", [b"", b"SETUP", b"x" * 40, settings_to_setup(ScopeSettings())[:-9] + b"SETUP"])
def test_a_set_up_that_is_not_one_changes_nothing(setup: bytes) -> None:
    bench = HandBench()
    bench.write(":CHANnel1:SCALe 0.5")
    bench.scope.receive(b":SYSTem:SETup " + bytes_to_block(setup))
    assert bench.errors() == ['-161,"Invalid block data"']
    assert bench.ask(":CHANnel1:SCALe?") == "+5.00000000E-001"


def test_a_recalled_set_up_is_the_one_that_was_asked_for() -> None:
    bench = HandBench()
    bench.write(":CHANnel1:SCALe 0.5")
    setup = bench.ask_bytes(":SYSTem:SETup?")
    bench.write("*RST", ":CHANnel1:SCALe 0.1")
    bench.scope.receive(b":SYSTem:SETup " + setup)
    assert bench.ask(":CHANnel1:SCALe?") == "+5.00000000E-001"
    assert bench.errors() == []
