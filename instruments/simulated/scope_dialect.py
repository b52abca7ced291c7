"""The oscilloscope's SCPI: run control and status here, settings and waveforms in modules of their own."""

from typing import NoReturn

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.faults import Faults, Role
from instruments.simulated.latency import NO_LATENCY, LatencyProfile, Pace
from instruments.simulated.measure_commands import MeasureCommands
from instruments.simulated.scope_setting_commands import add_setting_commands
from instruments.simulated.scope_settings import ScopeSettings
from instruments.simulated.scpi_instrument import ScpiInstrument
from instruments.simulated.scpi_tree import Call
from instruments.simulated.scpi_values import (
    bytes_to_block,
    number_to_nr1,
    text_to_choice,
    unquoted,
)
from instruments.simulated.screen_image import record_to_bmp, record_to_png
from instruments.simulated.setup_block import settings_to_setup, setup_to_settings, text_to_block
from instruments.simulated.stored_setups import StoredSetups
from instruments.simulated.view_commands import ViewCommands
from instruments.simulated.waveform_commands import WaveformCommands
from instruments.simulated_identity import SIMULATED_SCOPE_IDENTITY

SCOPE_IDENTITY = SIMULATED_SCOPE_IDENTITY
ERROR_QUEUE_DEPTH = 30
_GENERATOR = (
    "WGEN:OUTPut", "WGEN:OUTPut:LOAD", "WGEN:FUNCtion", "WGEN:FUNCtion:SQUare:DCYCle", "WGEN:FUNCtion:RAMP:SYMMetry",
    "WGEN:FUNCtion:PULSe:WIDTh", "WGEN:FREQuency", "WGEN:PERiod", "WGEN:VOLTage", "WGEN:VOLTage:OFFSet",
    "WGEN:VOLTage:HIGH", "WGEN:VOLTage:LOW", "WGEN:RST",
)  # fmt: skip
_DIGITIZABLE = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4", "POD1")


class ScopeDialect(ScpiInstrument):
    """MSO-X 2024A as its remote interface shows it (reference 1.3 to 1.8)."""

    def __init__(
        self, acquisition: Acquisition, faults: Faults, *, latency: LatencyProfile = NO_LATENCY, seed: int = 0
    ) -> None:
        pace = Pace(latency.scope_message_s, rate_bytes_per_s=latency.scope_rate_bytes_per_s, seed=seed)
        super().__init__(
            role=Role.OSCILLOSCOPE, identity=SCOPE_IDENTITY, queue_depth=ERROR_QUEUE_DEPTH, faults=faults, pace=pace
        )
        self.acquisition = acquisition
        self._operation_events = 0
        self._waveform = WaveformCommands(
            acquisition, self.report, linger_armed=lambda: pace.linger(latency.scope_points_armed_s)
        )
        self._waveform.add_to(self.tree)
        add_setting_commands(self.tree, acquisition)
        self._measure = MeasureCommands(acquisition)
        self._measure.add_to(self.tree)
        ViewCommands(self.tree, acquisition).add_to(self.tree)
        StoredSetups(acquisition).add_to(self.tree)
        self._add_run_control()
        self._add_status()
        self._add_system()

    @property
    def blocked(self) -> bool:
        """Whether `:DIGitize` is in progress."""
        self.acquisition.advance()
        return self.acquisition.blocking

    def before_message(self) -> None:
        """Bring the acquisition up to now."""
        self.acquisition.advance()

    def clear_status(self) -> None:
        """Empty the queue and the event registers."""
        super().clear_status()
        self.acquisition.clear_events()
        self._operation_events = 0

    def reset(self) -> None:
        """Return to the default settings."""
        self.acquisition.reset()
        self._waveform.reset()
        self._measure.reset()

    def device_clear(self) -> None:
        """Give up a `:DIGitize` that the interface waits for: that is what a device clear is for [M2p p.177]."""
        super().device_clear()
        if self.blocked:
            self.acquisition.stop()

    def trigger(self) -> None:
        """Do what `*TRG` does: the same as `:RUN`."""
        self.acquisition.run()

    def _add_run_control(self) -> None:
        scope, add = self.acquisition, self.tree.add
        add("RUN", write=lambda _: scope.run())
        add("STOP", write=lambda _: scope.stop())
        add("SINGle", write=lambda _: scope.single())
        add("DIGitize", write=self._digitize)
        add("RSTate", query=lambda _: scope.state.value)
        add("TRIGger:FORCe", write=lambda _: scope.force())

    def _add_status(self) -> None:
        scope, add = self.acquisition, self.tree.add
        add("AER", query=lambda _: number_to_nr1(int(scope.take_armed())))
        add("TER", query=lambda _: number_to_nr1(int(scope.take_triggered())))
        add("OPERegister:CONDition", query=lambda _: self._condition())
        add("OPERegister[:EVENt]", query=lambda _: self._take_operation_events())

    def _add_system(self) -> None:
        add = self.tree.add
        add("*OPT", query=lambda _: self._options())
        add("SYSTem:PRESet", write=lambda _: self.reset())
        add("SYSTem:SETup", write=self._recall, query=lambda _: bytes_to_block(settings_to_setup(self._settings)))
        add("DISPlay:DATA", query=self._screen)
        add("SYSTem:DSP", write=lambda call: _accept(unquoted(call.text())))
        for header in _GENERATOR:
            add(header, write=_refuse_generator, query=_refuse_generator)
        add("SYSTem:LOCK", write=lambda call: _accept(text_to_choice(call.text(), ("ON", "OFF", "1", "0"))))

    @property
    def _settings(self) -> ScopeSettings:
        return self.acquisition.settings

    def _options(self) -> str:
        fitted = {"MEMUP": self.acquisition.memory_points > 100_000, "SGM": self.acquisition.segmented_memory}
        return ",".join(name for name, is_fitted in fitted.items() if is_fitted) or "0"

    def _recall(self, call: Call) -> None:
        self.acquisition.recall(setup_to_settings(text_to_block(call.text())))

    def _screen(self, call: Call) -> bytes:
        kind, *palette = call.arguments or ("PNG",)
        kind = text_to_choice(kind, ("PNG", "BMP", "BMP8bit"))
        if len(palette) > 1:
            raise ScpiError(-108)
        grey = [text_to_choice(name, ("COLor", "GRAYscale")) for name in palette] == ["GRAY"]
        record = self.acquisition.current_record()
        if kind == "PNG":
            return bytes_to_block(record_to_png(record, grey=grey))
        return bytes_to_block(record_to_bmp(record, bits=24 if kind == "BMP" else 8, grey=grey))

    def _digitize(self, call: Call) -> None:
        settings = self.acquisition.settings
        named = {text_to_choice(source, _DIGITIZABLE) for source in call.arguments}
        if named:
            for number, channel in settings.channels.items():
                channel.displayed = f"CHAN{number}" in named
            settings.pod.displayed = "POD1" in named
        self.acquisition.digitize()

    def _condition(self) -> str:
        condition = int(self.acquisition.condition())
        self._operation_events |= condition
        return number_to_nr1(condition)

    def _take_operation_events(self) -> str:
        self._condition()
        events, self._operation_events = self._operation_events, 0
        return number_to_nr1(events)


def _refuse_generator(_: Call) -> NoReturn:
    """Refuse the waveform generator, an option that this scope has not got; the error's number is assumed."""
    raise ScpiError(-241)


def _accept(value: str) -> None:
    """Take a value that changes nothing in this world, once it has been found valid."""
    if len(value) > 254:
        raise ScpiError(-222)
