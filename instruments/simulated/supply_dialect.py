"""The supply's SCPI (reference 2.2)."""

import re
from functools import partial
from typing import Any

from instruments.simulated.error_queue import ScpiError
from instruments.simulated.faults import Faults, Role
from instruments.simulated.latency import NO_LATENCY, LatencyProfile, Pace
from instruments.simulated.scpi_instrument import ScpiInstrument
from instruments.simulated.scpi_tree import Call, Path
from instruments.simulated.scpi_values import (
    number_to_nr1,
    number_to_nr3,
    switch_to_text,
    text_to_limit,
    text_to_number,
    text_to_switch,
    unquoted,
)
from instruments.simulated.supply_physics import (
    CURRENT_LIMIT_A,
    CURRENT_RATING_A,
    OVP_LIMIT_V,
    VOLTAGE_LIMIT_V,
    SupplyRange,
    SupplySettings,
    SupplyStatus,
)
from instruments.simulated.supply_trigger import SupplyTrigger
from instruments.simulated.world import World

SUPPLY_IDENTITY = "Agilent Technologies,E3645A,0,2.6-6.1-2.1"
ERROR_QUEUE_DEPTH = 20
_RANGES = {"P35V": SupplyRange.P35V, "LOW": SupplyRange.P35V, "P60V": SupplyRange.P60V, "HIGH": SupplyRange.P60V}
_SOURCE = "[SOURce]:"
_SAYS_WHERE = re.compile(r":?SYST(EM)?:(REM(OTE)?|RWL(OCK)?|LOC(AL)?)", re.IGNORECASE)
"""What is obeyed over RS-232 while the supply is local."""
_LEVEL = "[:LEVel][:IMMediate][:AMPLitude]"


class SupplyDialect(ScpiInstrument):
    """E3645A as one of its interfaces shows it."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        *,
        latency: LatencyProfile = NO_LATENCY,
        seed: int = 0,
        over_serial: bool = False,
    ) -> None:
        """Make one.

        Args:
            world: what it supplies.
            faults: what may go wrong.
            latency: how long it takes.
            seed: of what it draws of that.
            over_serial: whether it is reached by RS-232, where it must be told that it is remote, and not by GPIB.
        """
        pace = Pace(latency.supply_message_s, seed=seed)
        super().__init__(
            role=Role.POWER_SUPPLY, identity=SUPPLY_IDENTITY, queue_depth=ERROR_QUEUE_DEPTH, faults=faults, pace=pace
        )
        self._over_serial = over_serial
        self._remote = not over_serial
        self._world = world
        self._steps = {"voltage_v": 0.001, "current_a": 0.0001}
        self._triggered: dict[str, float] = {}
        self._stored: dict[int, SupplySettings] = {}
        self._status_enable = 0
        self._display_text = ""
        self._display_on = True
        self._relay_on = False
        self._peripheral = 1
        self._state_names: dict[int, str] = {}
        self._power_on_clear = True
        self._supply_trigger = SupplyTrigger(self.trigger)
        self._supply_trigger.add_to(self.tree)
        self._add_levels()
        self._add_output()
        self._add_status()
        self._add_system()

    def before_message(self) -> None:
        """Bring the world up to now, so that every mode it passed through has been seen."""
        self._world.advance()

    def summary_bits(self) -> int:
        """Return bit 3, the questionable summary."""
        return 8 if int(self._world.status_seen) & self._status_enable else 0

    def clear_status(self) -> None:
        """Empty the queue and the event registers."""
        super().clear_status()
        self._world.status_seen = SupplyStatus(0)

    def reset(self) -> None:
        """Do what `*RST` does: output off, 0 V, low range, protection at its most."""
        self._world.change_supply(
            voltage_v=0.0,
            current_a=CURRENT_RATING_A[SupplyRange.P35V],
            output_on=False,
            range=SupplyRange.P35V,
            ovp_v=OVP_LIMIT_V,
            ovp_on=True,
            tripped=False,
        )
        self._display_on = True
        self._relay_on = False
        self._supply_trigger.reset()

    def trigger(self) -> None:
        """Make the triggered levels the immediate ones."""
        self._world.change_supply(**self._triggered)
        self._triggered.clear()

    @property
    def _settings(self) -> SupplySettings:
        return self._world.supply.settings

    def _limits(self, name: str) -> dict[str, float]:
        table = VOLTAGE_LIMIT_V if name == "voltage_v" else CURRENT_LIMIT_A
        default = 0.0 if name == "voltage_v" else CURRENT_RATING_A[self._settings.range]
        return {"MIN": 0.0, "MAX": table[self._settings.range], "DEF": default}

    def _add_levels(self) -> None:
        for word, name in (("VOLTage", "voltage_v"), ("CURRent", "current_a")):
            for header, write, query in (
                (f"{word}{_LEVEL}", self._set_level, self._answer_level),
                (f"{word}[:LEVel]:TRIGgered[:AMPLitude]", self._set_triggered, self._answer_triggered),
                (f"{word}{_LEVEL}:STEP", self._set_step, self._answer_step),
            ):
                self.tree.add(_SOURCE + header, write=partial(write, name), query=partial(query, name))
        self.tree.add("APPLy", write=self._apply, query=lambda _: self._applied())

    def _add_output(self) -> None:
        add, change = self.tree.add, self._world.change_supply
        add("[SOURce]:VOLTage:RANGe", write=self._set_range, query=lambda _: self._settings.range.value)
        add("[SOURce]:VOLTage:PROTection[:LEVel]", write=self._set_protection, query=self._protection)
        add(
            "[SOURce]:VOLTage:PROTection:STATe",
            write=lambda call: change(ovp_on=text_to_switch(call.text())),
            query=lambda _: switch_to_text(self._settings.ovp_on),
        )
        add("[SOURce]:VOLTage:PROTection:TRIPped", query=lambda _: switch_to_text(self._settings.tripped))
        add("[SOURce]:VOLTage:PROTection:CLEar", write=lambda _: change(tripped=False))
        add(
            "OUTPut[:STATe]",
            write=lambda call: change(output_on=text_to_switch(call.text())),
            query=lambda _: switch_to_text(self._settings.output_on),
        )
        # It moves two pins of the RS-232 connector, to which nothing is wired here.
        add(
            "OUTPut:RELay[:STATe]",
            write=lambda call: setattr(self, "_relay_on", text_to_switch(call.text())),
            query=lambda _: switch_to_text(self._relay_on),
        )
        add("MEASure[:SCALar][:VOLTage][:DC]", query=lambda _: self._measure_voltage())
        add("MEASure[:SCALar]:CURRent[:DC]", query=lambda _: self._measure_current())

    def _add_status(self) -> None:
        add = self.tree.add
        add("STATus:QUEStionable:CONDition", query=lambda _: number_to_nr1(self._condition()))
        add("STATus:QUEStionable[:EVENt]", query=lambda _: self._take_questionable())
        add(
            "STATus:QUEStionable:ENABle",
            write=self._set_status_enable,
            query=lambda _: number_to_nr1(self._status_enable),
        )

    def _add_system(self) -> None:
        add = self.tree.add
        add("SYSTem:VERSion", query=lambda _: "1995.0")
        for node, remote in (("REMote", True), ("LOCal", False), ("RWLock", True)):
            add(f"SYSTem:{node}", write=partial(self._set_remote, remote))
        add(
            "SYSTem:COMMunicate:GPIB:RDEVice:ADDRess",
            write=self._set_peripheral,
            query=lambda _: number_to_nr1(self._peripheral),
        )
        add("SYSTem:BEEPer[:IMMediate]", write=lambda _: None)
        add("*SAV", write=self._save)
        add("*RCL", write=self._recall)
        add("*PSC", write=self._set_power_on_clear, query=lambda _: switch_to_text(self._power_on_clear))
        add("MEMory:STATe:NAME", write=self._set_state_name, query=self._state_name)
        add(
            "DISPlay[:WINDow][:STATe]",
            write=lambda call: setattr(self, "_display_on", text_to_switch(call.text())),
            query=lambda _: switch_to_text(self._display_on),
        )
        add("DISPlay[:WINDow]:TEXT[:DATA]", write=self._set_text, query=lambda _: f'"{self._display_text}"')
        add("DISPlay[:WINDow]:TEXT:CLEar", write=lambda _: setattr(self, "_display_text", ""))

    def _level(self, name: str, text: str) -> float:
        limits = self._limits(name)
        now = getattr(self._settings, name)
        value = text_to_limit(text, limits | {"UP": now + self._steps[name], "DOWN": now - self._steps[name]})
        if not 0.0 <= value <= limits["MAX"]:
            raise ScpiError(-222)
        return value

    def _answer_level(self, name: str, call: Call) -> str:
        if call.arguments:
            return _nr3(text_to_limit(call.text(), self._limits(name)))
        return _nr3(getattr(self._settings, name))

    def _set_level(self, name: str, call: Call) -> None:
        self._world.change_supply(**{name: self._level(name, call.text())})

    def _set_triggered(self, name: str, call: Call) -> None:
        self._triggered[name] = self._level(name, call.text())

    def _answer_triggered(self, name: str, _: Call) -> str:
        return _nr3(self._triggered.get(name, getattr(self._settings, name)))

    def _set_step(self, name: str, call: Call) -> None:
        self._steps[name] = abs(text_to_number(call.text()))

    def _answer_step(self, name: str, _: Call) -> str:
        return _nr3(self._steps[name])

    def _apply(self, call: Call) -> None:
        if not 1 <= len(call.arguments) <= 2:
            raise ScpiError(-108 if call.arguments else -109)
        names = ("voltage_v", "current_a")
        # Both are checked before either is taken: out of range changes nothing.
        levels = {name: self._level(name, text) for name, text in zip(names, call.arguments, strict=False)}
        self._world.change_supply(**levels)

    def _applied(self) -> str:
        return f'"{self._settings.voltage_v:.5f},{self._settings.current_a:.5f}"'

    def _set_range(self, call: Call) -> None:
        wanted = _RANGES.get(call.text().upper())
        if wanted is None:
            raise ScpiError(-224)
        changes: dict[str, Any] = {"range": wanted}
        # Clamped in silence, as the instrument does (reference 2.2).
        changes["voltage_v"] = min(self._settings.voltage_v, VOLTAGE_LIMIT_V[wanted])
        changes["current_a"] = min(self._settings.current_a, CURRENT_LIMIT_A[wanted])
        self._world.change_supply(**changes)

    def _set_protection(self, call: Call) -> None:
        level_v = text_to_limit(call.text(), {"MIN": 0.0, "MAX": OVP_LIMIT_V})
        if not 0.0 <= level_v <= OVP_LIMIT_V:
            raise ScpiError(-222)
        self._world.change_supply(ovp_v=level_v)

    def _protection(self, call: Call) -> str:
        if call.arguments:
            return _nr3(text_to_limit(call.text(), {"MIN": 0.0, "MAX": OVP_LIMIT_V}))
        return _nr3(self._settings.ovp_v)

    def _measure_voltage(self) -> str:
        return _nr3(self._world.supply.read_back_voltage_v(self._world.supply_means()[0]))

    def _measure_current(self) -> str:
        return _nr3(self._world.supply.read_back_current_a(self._world.supply_means()[1]))

    def _condition(self) -> int:
        """Return 0 off, 1 constant current, 2 constant voltage: the mode as it is now."""
        return int(self._world.supply_mode())

    def _take_questionable(self) -> str:
        seen, self._world.status_seen = self._world.status_seen, SupplyStatus(0)
        return number_to_nr1(int(seen))

    def _execute(self, unit: str, path: Path) -> tuple[Path, str | bytes | None]:
        if not self._remote and not _SAYS_WHERE.fullmatch(unit):
            raise ScpiError(550)  # of the kind's own text; that nothing else is obeyed is known [?]
        return super()._execute(unit, path)

    def _set_remote(self, remote: bool, _: Call) -> None:
        if not self._over_serial:
            raise ScpiError(514)
        self._remote = remote

    def _set_status_enable(self, call: Call) -> None:
        value = text_to_number(call.text())
        if not 0 <= value <= 65_535:
            raise ScpiError(-222)
        self._status_enable = int(value)

    def _save(self, call: Call) -> None:
        self._stored[_place(call)] = self._settings

    def _recall(self, call: Call) -> None:
        stored = self._stored.get(_place(call))
        if stored is None:
            return self.reset()
        names = ("voltage_v", "current_a", "output_on", "range", "ovp_v", "ovp_on")
        return self._world.change_supply(**{name: getattr(stored, name) for name in names})

    def _set_power_on_clear(self, call: Call) -> None:
        self._power_on_clear = text_to_switch(call.text())

    def _set_state_name(self, call: Call) -> None:
        if not 1 <= len(call.arguments) <= 2:
            raise ScpiError(-108 if call.arguments else -109)
        place, *name = call.arguments
        self._state_names[_place(Call((), (place,)))] = unquoted(name[0])[:9] if name else ""

    def _state_name(self, call: Call) -> str:
        return f'"{self._state_names.get(_place(call), "")}"'

    def _set_peripheral(self, call: Call) -> None:
        address = text_to_number(call.text())
        if address not in range(31):
            raise ScpiError(-222)
        self._peripheral = int(address)

    def _set_text(self, call: Call) -> None:
        self._display_text = unquoted(call.text())[:12]


def _nr3(value: float) -> str:
    return number_to_nr3(value, exponent_digits=2)


def _place(call: Call) -> int:
    place = text_to_number(call.text())
    if place not in (1, 2, 3, 4, 5):
        raise ScpiError(-222)
    return int(place)
