"""Front panel: what an oscilloscope was set to before a session changed it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPanel:
    """A set-up as the instrument wrote it, and whether it was acquiring."""

    setup: bytes
    """Payload of `:SYSTem:SETup?`; only the instrument knows what it means."""
    running: bool
    """Whether sweeps followed each other (`:RSTate?` answered RUN)."""
