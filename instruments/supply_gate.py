"""Supply gate: the one way to whatever changes a supply; each change is audited, and in a dry run none is sent."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Protocol, runtime_checkable

from instruments.audit_log import AuditLog, Stage
from instruments.errors import InstrumentError
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_reading import SupplyReading

logger = logging.getLogger(__name__)

FRESH_S = 2.0
"""What was read back no longer ago is what a change begins from, and is not asked for again."""
OFF_WAITS_S = 2.0
"""So long switching off waits, in seconds, for the line that tells of it: a disk may hang without saying anything."""
COMPLETE = frozenset({"output_on", "voltage_v", "current_a"})
"""What is known of a supply when enough is."""


@runtime_checkable
class TellsFurtherSettings(Protocol):
    """A driver that can tell more than set-points, for the audit log. Implementation: `PowerSupply`."""

    def further_settings(self) -> dict[str, Any]:
        """Get what else is set, by name, as JSON values: range, level and switch of the protection."""
        ...


class SupplyGate:
    """A supply's driver as the bench has it: it has the protocol's verbs, and no other way to the supply.

    A change is not sent before the audit log has it, but for the output's switching off: that is sent whatever the disk
    says, and without a question before it, for an instrument that is slow to answer must not delay it.
    """

    def __init__(
        self,
        driver: PowerSupplyDriver,
        *,
        envelope: SupplyEnvelope,
        audit: AuditLog | None = None,
        dry_run: bool = False,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Stand before a driver.

        Args:
            driver: the supply's.
            envelope: bounds of the set-points, which a dry run checks in the driver's place.
            audit: where changes are written; None: nowhere.
            dry_run: send nothing that changes the supply, and write what would have been.
            monotonic_s: the clock by which a reading is fresh.
        """
        self._driver = driver
        self._envelope = envelope
        self._audit = audit
        self._dry_run = dry_run
        self._monotonic_s = monotonic_s
        self._known: dict[str, Any] = {}
        self._known_s = -FRESH_S

    def identify(self) -> str:
        """Get the identity string, as the driver does."""
        return self._driver.identify()

    def read_state(self, *, take_events: bool) -> SupplyReading:
        """Measure the output, as the driver does."""
        reading = self._driver.read_state(take_events=take_events)
        self._known["output_on"] = reading.output_on
        return reading

    def set_points(self) -> tuple[float, float]:
        """Get the programmed voltage in volt and current limit in ampere, as the driver does."""
        voltage_v, current_a = self._driver.set_points()
        self._known |= {"voltage_v": voltage_v, "current_a": current_a}
        return voltage_v, current_a

    def settle(self) -> None:
        """Measure until the output stands at the set voltage, as the driver does."""
        self._driver.settle()

    def set_point(self, *, voltage_v: float | None, current_a: float | None) -> None:
        """Set the voltage, current limit, or both, as the driver does.

        Raises:
            AuditFailed: the change cannot be written down, and was not sent.
        """
        self._change(
            "set_point",
            _named(voltage_v=voltage_v, current_a=current_a),
            lambda: self._driver.set_point(voltage_v=voltage_v, current_a=current_a),
        )

    def set_protected_point(self, *, voltage_v: float | None, current_a: float | None, ovp_v: float) -> None:
        """Set the over-voltage protection too, as the driver does; raises as `set_point`."""
        self._change(
            "set_protected_point",
            _named(voltage_v=voltage_v, current_a=current_a, ovp_v=ovp_v),
            lambda: self._driver.set_protected_point(voltage_v=voltage_v, current_a=current_a, ovp_v=ovp_v),
        )

    def set_output(self, on: bool) -> None:
        """Control the output switch, as the driver does; raises as `set_point`, where it is to be switched on."""
        if on:
            self._change("output_on", {"output_on": True}, lambda: self._driver.set_output(True))
        else:
            self._switch_off()

    def clear_trip(self) -> None:
        """Clear the over-voltage protection, as the driver does; raises as `set_point`."""
        self._change("clear_trip", {}, self._driver.clear_trip)

    def _change(self, action: str, wanted: dict[str, Any], command: Callable[[], None]) -> None:
        if self._audit is None and not self._dry_run:
            command()
            return
        before = self._before()
        change = {"change": uuid.uuid4().hex[:12], "wanted": wanted, "before": before}
        if self._dry_run:
            self._check(wanted)
            self._would(action, change)
            return
        assert self._audit is not None
        self._audit.write(Stage.INTENDED, action, **change)
        self._perform(self._audit, action, change, command)

    def _switch_off(self) -> None:
        if self._audit is None and not self._dry_run:
            self._driver.set_output(False)
            return
        change = {"change": uuid.uuid4().hex[:12], "wanted": {"output_on": False}, "before": self._known or None}
        if self._dry_run:
            self._would("output_off", change)
            return
        assert self._audit is not None
        self._try_to_intend(self._audit, "output_off", change)
        self._perform(self._audit, "output_off", change, lambda: self._driver.set_output(False))

    def _try_to_intend(self, audit: AuditLog, action: str, change: dict[str, Any]) -> None:
        """Write what is intended on a thread of its own, and go on: nothing there may keep the output on."""

        def write() -> None:
            try:
                audit.write_if_possible(Stage.INTENDED, action, **change)
            except Exception:
                logger.exception("the audit log broke; this is a defect, please report it")

        writing = threading.Thread(target=copy_context().run, args=(write,), name="audit-intended", daemon=True)
        try:
            writing.start()
        except RuntimeError:  # no thread can be had
            write()
            return
        writing.join(OFF_WAITS_S)
        if writing.is_alive():
            logger.error("the audit log's disk has not answered for %g s; %s is sent without it", OFF_WAITS_S, action)

    def _perform(self, audit: AuditLog, action: str, change: dict[str, Any], command: Callable[[], None]) -> None:
        self._known = {}
        try:
            command()
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
            audit.write_if_possible(Stage.FAILED, action, **change, error=text)
            raise
        after, unread = self._after()
        audit.write_if_possible(Stage.DONE, action, **change, after=after, unread=unread)

    def _check(self, wanted: dict[str, Any]) -> None:
        """Refuse in a dry run what the driver would refuse."""
        voltage_v, current_a = self.set_points()
        self._envelope.check_bounds(
            voltage_v=wanted.get("voltage_v", voltage_v),
            current_a=wanted.get("current_a", current_a),
            ovp_v=wanted.get("ovp_v"),
        )

    def _would(self, action: str, change: dict[str, Any]) -> None:
        wanted = ", ".join(f"{name} {value}" for name, value in (change["wanted"] or {}).items())
        what = f"{action} ({wanted})" if wanted else action
        logger.warning("dry run: %s would have been sent, and was not", what)
        if self._audit is not None:
            self._audit.write_if_possible(Stage.WOULD, action, **change)

    def _before(self) -> dict[str, Any]:
        if not (self._known.keys() >= COMPLETE and self._monotonic_s() - self._known_s < FRESH_S):
            self._known = self._found()
            self._known_s = self._monotonic_s()
        return dict(self._known)

    def _after(self) -> tuple[dict[str, Any] | None, str | None]:
        """Return what the supply is set to now, or why that is not known; the change itself was read back already."""
        try:
            self._known = self._found()
        except InstrumentError as error:
            self._known = {}
            return None, str(error)
        self._known_s = self._monotonic_s()
        return dict(self._known), None

    def _found(self) -> dict[str, Any]:
        reading = self._driver.read_state(take_events=False)
        voltage_v, current_a = self._driver.set_points()
        found = {"output_on": reading.output_on, "voltage_v": voltage_v, "current_a": current_a}
        found |= {"ovp_tripped": reading.ovp_tripped}
        if isinstance(self._driver, TellsFurtherSettings):
            found |= self._driver.further_settings()
        return found


def _named(**points: float | None) -> dict[str, Any]:
    return {name: value for name, value in points.items() if value is not None}
