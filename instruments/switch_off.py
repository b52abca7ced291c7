"""Switch off: the one command that must get through to a supply, whatever happened before it."""

from instruments.attendant import Attendant
from instruments.errors import InstrumentError
from instruments.power_supply_driver import PowerSupplyDriver


async def switch_off(supply: Attendant[PowerSupplyDriver]) -> None:
    """Switch a supply's output off and read that back; a second attempt follows a first that fails.

    After an exchange that broke off, the first meets what that left behind, such as "Query UNTERMINATED" in the error
    queue, and takes it away.

    Raises:
        InstrumentError: the second attempt failed too; the output may be on.
    """
    try:
        await supply.call(PowerSupplyDriver.set_output, False)
    except InstrumentError:
        await supply.call(PowerSupplyDriver.set_output, False)
