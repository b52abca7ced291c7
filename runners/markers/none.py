"""No marker: for a board without a wire to the oscilloscope."""


class NoMarker:
    """Takes every level and shows it to nobody."""

    url = "none"
    wired = False

    def set(self, level: bool) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
