"""Operation: what an oscilloscope's acquisition does now."""

from enum import IntFlag


class Operation(IntFlag):
    """Bits of the MSO-X 2024A's operation status condition register (reference 1.4); other drivers answer in them."""

    RUN = 8
    """An acquisition runs, or waits for its trigger."""
    WAIT_TRIGGER = 32
    """Armed: the pre-trigger part is filled, and no trigger has come."""
