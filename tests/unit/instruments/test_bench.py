import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from instruments.bench import Bench
from instruments.bench_settings import BenchSettings, OutputOnExit, VoltageChannel
from instruments.errors import (
    BenchNotReady,
    ConnectionFailed,
    InstrumentError,
    InstrumentTimeout,
    NotTriggered,
    SettingRefused,
    WrongInstrument,
)
from instruments.oscilloscope_settings import AcquisitionType, TriggerSettings
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_reading import SupplyMode
from tests.unit.instruments.scripted_instrument import ScriptedAdapter, ScriptedInstrument, block, echo
from tests.unit.instruments.scripted_scope import IDENTITY, SETUP, ScriptedScope
from tests.unit.instruments.test_power_supply import IDENTITY as SUPPLY_IDENTITY
from tests.unit.instruments.test_power_supply import LIVE

ENVELOPE = SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.0)
BOARD = 12


class Scripted:
    """A scripted oscilloscope and a scripted adapter with a supply, and the settings of a bench made of them."""

    def __init__(self, stack: ExitStack) -> None:
        self.scope = ScriptedScope()
        self.supply = dict(LIVE)
        keep = echo({})
        for header in ("VOLTage 19", "CURRent 1.5", "VOLTage:RANGe P35V"):
            keep(header)
        self.scope_server = stack.enter_context(ScriptedInstrument(self.scope))
        answer_live = lambda message: f"{self.supply[message]}\n".encode() if message in self.supply else keep(message)  # noqa: E731
        self.adapter_server = stack.enter_context(ScriptedAdapter({"5": answer_live}))
        self.settings = BenchSettings(
            oscilloscope_resource=self.scope_server.resource,
            power_supply_resource=f"GPIB{BOARD}::5::INSTR",
            gpib_adapter_resource=self.adapter_server.resource_on(BOARD),
            current_offset_a=0.8,  # as the scripted record says
            envelope=ENVELOPE,
            timeout_s=1.0,
        )


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with ExitStack() as stack:
        yield Scripted(stack)


async def test_a_bench_knows_who_is_on_it(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        everyone = {"oscilloscope": IDENTITY, "power_supply": SUPPLY_IDENTITY, "probe": "1146B"}
        assert bench.identities == everyone
        assert await bench.identify() == everyone
    assert bench.identities == {}


async def test_no_edge_triggers_where_none_is_wanted(scripted) -> None:
    """The marker stays in the record; the trigger lies on the current's channel, near the top of the screen."""
    async with Bench(scripted.settings) as bench:
        settings = await bench.prepare(edge=False)
        assert settings[":TRIGger:EDGE:SOURce"] == "CHAN1"
        level_a = float(settings[":TRIGger:EDGE:LEVel"])
        assert level_a == pytest.approx(bench.settings.current_offset_a + 3.9 * bench.settings.current_scale_a_per_div)
        assert (await bench.prepare())[":TRIGger:EDGE:SOURce"] == "DIG0"


def test_the_telnet_port_of_an_oscilloscope_is_refused(scripted) -> None:
    with pytest.raises(SettingRefused, match=r"port 5024 is a telnet prompt .*use port 5025"):
        replace(scripted.settings, oscilloscope_resource="TCPIP0::192.168.1.20::5024::SOCKET")


async def test_one_capture_from_preparation_to_record(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        settings = await bench.prepare()
        assert settings[":TRIGger:EDGE:SOURce"] == "DIG0"
        await bench.arm()
        await bench.wait_complete(deadline_s=1.0)
        capture = await bench.read_capture()
        reading = await bench.read_supply()
    assert capture.instruments == {"oscilloscope": IDENTITY, "power_supply": SUPPLY_IDENTITY, "probe": "1146B"}
    assert capture.triggered_utc_ns is not None
    assert reading.mode is SupplyMode.CV


RESTORED = [":STOP;*CLS", f":SYSTem:SETup #8{len(SETUP):08d}{SETUP.decode()}", ":SYSTem:ERRor?", ":RUN"]
"""How the oscilloscope is given back: stopped, set, asked whether it took it, and running again as before."""


def last_of(server: ScriptedInstrument) -> list[str]:
    """Return the last messages of a client that has gone; its very last is a command, which nothing answers."""
    assert server.left.wait(5.0)
    return server.received[-len(RESTORED) :]


async def test_the_oscilloscope_is_given_back_as_it_was_found(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        for _ in range(2):
            await bench.prepare()
    assert scripted.scope_server.received.count(":SYSTem:SETup?") == 1, "later ones would hold the bench's own settings"
    assert last_of(scripted.scope_server) == RESTORED


async def test_the_oscilloscope_is_given_back_after_an_error(scripted) -> None:
    scripted.scope.overrides = {":CHANnel1:SCALe?": "5"}
    async with Bench(scripted.settings) as bench:
        with pytest.raises(SettingRefused):
            await bench.prepare()
    assert last_of(scripted.scope_server) == RESTORED


async def test_a_reopened_bench_still_knows_what_the_lab_had_set(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        await bench.prepare()
        await bench.open()
        assert not any(message.startswith(":SYSTem:SETup #") for message in scripted.scope_server.received)
        scripted.scope.overrides = {":SYSTem:SETup?": block(b"the bench's own")}
        await bench.prepare()
    assert last_of(scripted.scope_server) == RESTORED


async def test_a_set_up_that_is_refused_is_told_and_kept(scripted, caplog) -> None:
    bench = Bench(scripted.settings)
    await bench.open()
    await bench.prepare()
    scripted.scope.overrides = {":SYSTem:ERRor?": '-161,"Invalid block data"'}
    await bench.close()
    assert "could not be restored" in caplog.text
    assert "Invalid block data" in caplog.text
    scripted.scope.overrides = {}
    async with bench:
        pass
    assert last_of(scripted.scope_server) == RESTORED


@pytest.mark.parametrize("prepared", [True, False])
async def test_the_front_panel_is_left_alone_where_nothing_changed_it_or_nobody_wants_it(scripted, prepared) -> None:
    async with Bench(replace(scripted.settings, restore_front_panel=not prepared)) as bench:
        if prepared:
            await bench.prepare()
    assert not any("SETup" in message for message in scripted.scope_server.received)


async def test_the_output_is_left_on_unless_it_is_to_be_off(scripted) -> None:
    scripted.supply["OUTPut?"] = "0"
    async with Bench(scripted.settings):
        pass
    assert "OUTPut 0" not in scripted.adapter_server.received
    async with Bench(replace(scripted.settings, output_on_exit=OutputOnExit.OFF)):
        pass
    assert scripted.adapter_server.received[-3:] == ["OUTPut 0", ":SYSTem:ERRor?", "OUTPut?"]


async def test_the_output_goes_off_when_the_program_fails(scripted) -> None:
    scripted.supply["OUTPut?"] = "0"
    bench = Bench(replace(scripted.settings, output_on_exit=OutputOnExit.OFF))
    with pytest.raises(ZeroDivisionError):
        await _fail_in(bench)
    assert "OUTPut 0" in scripted.adapter_server.received


async def test_reopening_is_no_exit(scripted) -> None:
    """A daemon that finds its way back after a failure must not cut the board's power."""
    scripted.supply["OUTPut?"] = "0"
    async with Bench(replace(scripted.settings, output_on_exit=OutputOnExit.OFF)) as bench:
        await bench.open()
        assert "OUTPut 0" not in scripted.adapter_server.received


async def test_what_could_not_be_reopened_is_still_left_as_it_should_be(scripted) -> None:
    scripted.supply["OUTPut?"] = "0"
    bench = Bench(replace(scripted.settings, output_on_exit=OutputOnExit.OFF))
    await bench.open()
    await bench.prepare()
    scripted.supply["*IDN?"] = "RIGOL,DS1000,1,1"
    with pytest.raises(BenchNotReady):
        await bench.open()
    scripted.supply["*IDN?"] = SUPPLY_IDENTITY
    await bench.close()
    assert "OUTPut 0" in scripted.adapter_server.received
    assert last_of(scripted.scope_server) == RESTORED


async def test_an_output_that_stays_on_is_told(scripted, caplog) -> None:
    async with Bench(replace(scripted.settings, output_on_exit=OutputOnExit.OFF)):
        pass  # this one answers that it is on, whatever it is told
    assert "may be ON" in caplog.text


async def _fail_in(bench: Bench) -> None:
    async with bench:
        raise ZeroDivisionError


async def test_opening_sends_nothing_that_changes_the_supply(scripted) -> None:
    async with Bench(scripted.settings):
        pass
    assert scripted.adapter_server.received == ["*IDN?"]


async def test_every_failure_is_listed_at_once(scripted) -> None:
    scripted.scope.overrides = {"*IDN?": "RIGOL,DS1000,1,1"}
    settings = replace(scripted.settings, power_supply_resource=f"GPIB{BOARD}::9::INSTR", timeout_s=0.2)
    with pytest.raises(BenchNotReady) as caught:
        await Bench(settings).open()
    wrong, silent = caught.value.failures
    assert isinstance(wrong, WrongInstrument)
    assert isinstance(silent, InstrumentTimeout)
    text = str(caught.value)
    assert "2 instruments not ready" in text
    assert "RIGOL,DS1000" in text
    assert "power_supply: *IDN?: no answer within 0.2 s" in text


async def test_a_bench_opens_once_what_hindered_it_is_gone(scripted) -> None:
    scripted.scope.overrides = {"*IDN?": "RIGOL,DS1000,1,1"}
    bench = Bench(scripted.settings)
    with pytest.raises(BenchNotReady, match="1 instrument not ready"):
        await bench.open()
    scripted.scope.overrides = {}
    await bench.open()
    await bench.close()
    await bench.close()


async def test_an_instrument_that_left_is_found(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        scripted.supply["*IDN?"] = "Agilent Technologies,E3631A,0,1"
        with pytest.raises(BenchNotReady, match="E3631A") as caught:
            await bench.identify()
        assert len(caught.value.failures) == 1


async def test_a_trigger_that_never_comes_is_named(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        await bench.prepare()
        await bench.arm()
        scripted.scope.condition = "40"
        with pytest.raises(NotTriggered, match=r"no trigger within 0\.05 s .*is the marker wired"):
            await bench.wait_complete(deadline_s=0.05, poll_s=0.01)
        scripted.scope.condition = "8"
        with pytest.raises(InstrumentTimeout, match=r"record not complete within 0\.05 s"):
            await bench.wait_complete(deadline_s=0.05, poll_s=0.01)


async def test_a_record_stopped_by_hand_is_no_record(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        await bench.prepare()
        await bench.arm()
        scripted.scope.triggered = "+0"
        with pytest.raises(NotTriggered, match="stopped at the front panel"):
            await bench.wait_complete(deadline_s=1.0)


async def test_a_forced_record_needs_no_trigger(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        await bench.prepare()
        await bench.arm()
        scripted.scope.triggered = "+0"
        before_ns = time.monotonic_ns()
        forced = await bench.force()
        assert before_ns <= forced.sent_ns <= forced.taken_ns <= time.monotonic_ns()
        await bench.wait_complete(deadline_s=1.0)
        assert await bench.is_complete()
        await bench.stop()
    assert ":STOP" in scripted.scope_server.received


@pytest.mark.parametrize(("condition", "waits"), [("40", True), ("8", False), ("0", False)])
async def test_a_bench_says_whether_it_waits_for_a_trigger(scripted, condition: str, waits: bool) -> None:
    async with Bench(scripted.settings) as bench:
        scripted.scope.condition = condition
        assert await bench.waits_for_trigger() is waits


async def test_an_acquisition_that_never_arms_is_a_time_out(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        await bench.prepare()
        scripted.scope.overrides = {":AER?": "+0"}
        with pytest.raises(InstrumentTimeout, match="not armed within"):
            await bench.arm(deadline_s=0.05)


async def test_the_loop_goes_on_while_an_instrument_is_asked(scripted) -> None:
    scripted.scope.condition = "40"
    async with Bench(scripted.settings) as bench:
        await bench.prepare()
        waiting = asyncio.create_task(bench.wait_complete(deadline_s=30.0))
        reading = await bench.read_supply()
        assert reading.output_on
        assert not waiting.done()
        scripted.scope.condition = "0"
        await waiting


async def test_waiting_can_be_given_up_at_once(scripted) -> None:
    scripted.scope.condition = "40"
    async with Bench(scripted.settings) as bench:
        await bench.prepare()
        waiting = asyncio.create_task(bench.wait_complete(deadline_s=30.0))
        await bench.read_supply()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await bench.stop()


async def test_the_supply_is_set_within_its_envelope_only(scripted) -> None:
    scripted.supply["MEASure:VOLTage?"] = "+1.20100000E+01"
    async with Bench(scripted.settings) as bench:
        await bench.set_supply(voltage_v=12.0)
        with pytest.raises(SettingRefused, match="envelope"):
            await bench.set_supply(voltage_v=24.0)
        await bench.set_supply_output(True)
    changes = [message for message in scripted.adapter_server.received if not message.endswith("?")]
    assert changes == ["VOLTage 12", "OUTPut 1"]


async def test_a_closed_bench_says_so(scripted) -> None:
    bench = Bench(scripted.settings)
    with pytest.raises(BenchNotReady, match="closed"):
        await bench.identify()
    for verb in (bench.prepare, bench.arm, bench.read_capture, bench.read_supply, bench.stop):
        with pytest.raises(ConnectionFailed, match="closed"):
            await verb()


async def test_reading_before_preparing_is_refused(scripted) -> None:
    async with Bench(scripted.settings) as bench:
        with pytest.raises(InstrumentError, match="not configured"):
            await bench.arm()


async def test_nobody_there_is_every_instrument_at_once(scripted) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = replace(
        scripted.settings,
        oscilloscope_resource=f"TCPIP0::127.0.0.1::{port}::SOCKET",
        gpib_adapter_resource=f"PRLGX-TCPIP{BOARD}::127.0.0.1::{port}::INTFC",
    )
    with pytest.raises(BenchNotReady) as caught:
        await Bench(settings).open()
    assert [failure.instrument for failure in caught.value.failures] == ["oscilloscope", "gpib_adapter"]


def settings(**changes) -> BenchSettings:
    base = {"oscilloscope_resource": "scope", "power_supply_resource": "supply", "envelope": ENVELOPE}
    return BenchSettings(**{**base, **changes})


def test_the_marker_triggers_by_default() -> None:
    assert settings(marker_bit=3).oscilloscope_settings.trigger.source == "DIGital3"


def test_without_a_marker_no_signal_can_trigger() -> None:
    wired = settings(marker_bit=None, current_offset_a=0.8).oscilloscope_settings
    assert wired.pod is None
    assert wired.trigger == TriggerSettings(source="CHANnel1", level=wired.trigger.level)
    assert wired.trigger.level == pytest.approx(0.8 + 3.9 * 0.2)


def test_a_voltage_channel_is_read_in_volts() -> None:
    wired = settings(voltage=VoltageChannel(number=3)).oscilloscope_settings
    assert [channel.number for channel in wired.channels] == [1, 3]


def test_the_probe_decides_the_ratio() -> None:
    assert settings().oscilloscope_settings.current.probe_ratio == 10.0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"marker_bit": 8}, "marker_bit"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"current_channel": 7}, "channel number"),
        ({"current_scale_a_per_div": 100.0}, "scale_per_div"),
        ({"voltage": VoltageChannel(number=1)}, "voltage channel"),
        ({"record_s": -1.0}, "range_s"),
        ({"acquisition": AcquisitionType.AVERAGE}, "AVERage: the mean over many triggers .* is of no single run"),
        ({"acquisition": AcquisitionType.PEAK}, "PEAK: .* no samples that an energy could be computed from"),
    ],
)
def test_a_bench_that_cannot_be_is_refused_before_it_is_opened(changes: dict[str, object], text: str) -> None:
    with pytest.raises(SettingRefused, match=text):
        settings(**changes)
