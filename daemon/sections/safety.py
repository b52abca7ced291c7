"""Section `safety`: what the daemon does where the supply endangers the board, or is out of its hands."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from daemon.sections.section import Positive, Section


class ReactionChoice(StrEnum):
    """What happens when something endangers the board."""

    REPORT = "report"
    """It is logged and audited; runs go on, and their results say what they always say of it."""
    REFUSE = "refuse"
    """The run in hand goes on to its verdict; no further one is taken until `joulebench supply acknowledge`."""
    OUTPUT_OFF = "output_off"
    """The output is switched off at once, the run in hand fails, and none is taken until it is acknowledged."""


class CrashChoice(StrEnum):
    """What becomes of an output that is found on after a daemon that did not end in an orderly way."""

    LEAVE = "leave"
    """It stays on."""
    OFF = "off"
    """It is switched off before anything else."""


class SafetySection(Section):
    """What protects the board beyond the supply's own limits; `docs/how-to/protect-the-board.md` says how."""

    over_voltage: ReactionChoice = ReactionChoice.OUTPUT_OFF
    """Where the output is measured above `power_supply.max_voltage_v`, or its protection has tripped (which
    `power_supply.after_trip = "clear"` makes a report): `report`, `refuse` or `output_off`."""
    over_current: ReactionChoice = ReactionChoice.OUTPUT_OFF
    """Where more current is measured than `power_supply.current_limit_a`, or without it `max_current_a`, allows:
    `report`, `refuse` or `output_off`."""
    cc_excursion: ReactionChoice = ReactionChoice.REPORT
    """Where the supply has limited its current, if only for a moment, during a run or between two: `report`, `refuse`
    or `output_off`."""
    lost_instrument: ReactionChoice = ReactionChoice.REPORT
    """Where supply or oscilloscope cannot be brought back for `lost_after_s`: `report`, `refuse` or `output_off`; a
    supply that is lost itself is switched off as soon as it answers again."""
    lost_after_s: Positive = 30.0
    """How long an instrument may be missing, after a recovery that failed, before it counts as lost, in seconds."""
    watch_interval_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Time between two looks at the instruments while no run is in hand, in seconds; 0: they are left alone."""
    after_crash: CrashChoice = CrashChoice.LEAVE
    """What becomes of an output that is found on although the last daemon was killed or lost its power: `leave` or
    `off`."""
    dry_run: bool = False
    """True: nothing is sent that changes the supply's output, set-points or protection; what would have been is
    audited, and every run is rejected once all has been checked."""
