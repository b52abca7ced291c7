"""Soft start: an output that is switched on at 0 V and raised in steps to the voltage that is set."""

import asyncio
import logging
import math

from instruments.attendant import Attendant
from instruments.errors import InstrumentError, SoftStartAborted
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.supply_reading import SupplyMode, SupplyReading
from instruments.switch_off import switch_off

logger = logging.getLogger(__name__)

STEP_S = 0.1
"""Time between two steps; a supply that takes longer to be set and read makes the whole rise longer."""
LEAST_STEPS = 10
"""So many steps at least, so that none is higher than a tenth of the voltage."""


async def soft_start(supply: Attendant[PowerSupplyDriver], *, duration_s: float) -> None:
    """Switch an output on at 0 V and raise it to the voltage that is set; one that is on is left as it is.

    Each step goes through `set_point`, so that it lies within the envelope and is read back, and is then measured.
    Whatever ends the rise early, a cancelled task too, leaves the output off and the voltage set as it was.

    Args:
        supply: the supply's attendant.
        duration_s: time from 0 V to the set voltage, in seconds.

    Raises:
        SoftStartAborted: the supply limited the current, tripped, failed or was switched off while it rose.
        SettingRefused: what is set lies outside the envelope, so the output was not switched on.
    """
    if (await supply.call(PowerSupplyDriver.read_state, take_events=False)).output_on:
        logger.info("the supply's output is on already; it is left as it is")
        return
    target_v, limit_a = await supply.call(PowerSupplyDriver.set_points)
    # What is to be reached is checked before anything is driven, not at the last step.
    await supply.call(PowerSupplyDriver.set_point, voltage_v=target_v, current_a=limit_a)
    await supply.call(PowerSupplyDriver.read_state, take_events=True)  # what was latched before is not the rise's
    try:
        await _rise(supply, target_v, duration_s)
    except SoftStartAborted as error:
        outcome = await _switch_off(supply, target_v)
        raise SoftStartAborted(f"{error.problem}; {outcome}", instrument=supply.role, operation="soft_start") from error
    except BaseException:
        await _switch_off(supply, target_v)
        raise


async def _rise(supply: Attendant[PowerSupplyDriver], target_v: float, duration_s: float) -> None:
    await supply.call(PowerSupplyDriver.set_point, voltage_v=0.0, current_a=None)
    await supply.call(PowerSupplyDriver.set_output, True)
    steps = max(LEAST_STEPS, math.ceil(duration_s / STEP_S))
    logger.info("soft start: to %g V in %d steps over %g s", target_v, steps, duration_s)
    clock = asyncio.get_running_loop().time
    start_s = clock()
    for step in range(1, steps + 1):
        await asyncio.sleep(start_s + duration_s * step / steps - clock())
        step_v = target_v * step / steps
        await supply.call(PowerSupplyDriver.set_point, voltage_v=step_v, current_a=None)
        reading = await supply.call(PowerSupplyDriver.read_state, take_events=True)
        if problem := _problem(reading):
            text = f"{problem} at {step_v:.4g} V of {target_v:g} V"
            raise SoftStartAborted(text, instrument=supply.role, operation="soft_start")
        quarter = step * 4 // steps > (step - 1) * 4 // steps
        level = logging.INFO if quarter else logging.DEBUG
        logger.log(level, "soft start: %.4g V set, %.4g V, %.4g A", step_v, reading.voltage_v, reading.current_a)


def _problem(reading: SupplyReading) -> str:
    """Return why the rise cannot go on, empty where it can."""
    if reading.tripped:
        return "a protection of the supply tripped"
    if not reading.output_on:
        return "the output was switched off"
    if reading.mode is SupplyMode.FAULT:
        return "the supply reports a hardware failure"
    if reading.mode is SupplyMode.CC or reading.cc_excursion:
        return "the supply limited the current (something draws more than its limit)"
    return ""


async def _switch_off(supply: Attendant[PowerSupplyDriver], target_v: float) -> str:
    """Switch the output off and set the voltage as it was; return what became of that."""
    try:
        await switch_off(supply)
    except InstrumentError as error:
        logger.error("soft start: the output was to be switched off again, and may be ON; look at it: %s", error)
        return f"the output could not be switched off and may be ON ({error})"
    try:
        await supply.call(PowerSupplyDriver.set_point, voltage_v=target_v, current_a=None)
    except InstrumentError as error:
        logger.warning("soft start: the voltage could not be set back to %g V: %s", target_v, error)
    return "the output is off again"
