"""Waveform: the codes of one source of a completed record, with the preamble they came with."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from instruments.errors import BadBlock, SettingRefused
from instruments.preamble import Preamble, parse_preamble
from instruments.setting import Setting, program
from instruments.visa_session import VisaSession
from metrology.trace import Trace, Unit

POINTS = ":WAVeform:POINts"
"""Header of the number of points."""
PEAK = 1
"""Acquisition type of a preamble: two values, lowest and highest, a point."""
CLIP_LOW_COUNTS = 0x0100
"""Codes 1 to this one are clipped low. The manual's code 1 is a byte's; in WORD data of the normal type it may come as
0x0001 or 0x0100, and both lie beyond the converter's lowest step."""
CLIP_HIGH_COUNTS = 0xFF00
"""Codes from this one up are clipped high, for the same reason: byte 0xFF, as 0xFF00 or 0xFFFF."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waveform:
    """Codes and preamble of one source."""

    source: str
    """`CHANnel1` or `POD1`."""
    preamble: Preamble
    """The preamble, parsed."""
    preamble_text: str
    """The preamble as the instrument wrote it."""
    counts: NDArray[np.uint8 | np.uint16]
    """Codes, shape (n,), uint16 for a channel, uint8 for a pod."""

    def trace(self, unit: Unit) -> Trace:
        """Return the codes of a channel as a trace."""
        return Trace(
            counts=self.counts.astype(np.uint16, copy=False),
            scale=self.preamble.scale,
            unit=unit,
            clip_low_counts=CLIP_LOW_COUNTS,
            clip_high_counts=CLIP_HIGH_COUNTS,
        )


class Record(Enum):
    """Which of an acquisition's two records is read (reference 1.5)."""

    RAW = auto()
    """The acquisition record: every sample, as long as the memory. Of an average it holds nothing."""
    MEASUREMENT = auto()
    """The measurement record, at most 62 500 points: what there is of means."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What chooses it, in order.

        The number of points comes with it: a length that somebody asked for earlier must not shorten the record.
        `MAXimum` points also switch the mode, so where another mode is wanted that comes after.
        """
        points = Setting(header=POINTS, value="MAXimum", names_number=True)
        if self is Record.RAW:  # this firmware answers MAX to it (reference 1.4)
            return Setting(header=f"{POINTS}:MODE", value="RAW", also=("MAXimum",)), points
        return points, Setting(header=f"{POINTS}:MODE", value="NORMal")


def read_waveform(session: VisaSession, source: str, record: Record = Record.RAW) -> Waveform:
    """Read one source of a stopped oscilloscope: 16-bit codes of a channel, bytes of a pod.

    Args:
        session: the oscilloscope's.
        source: `CHANnel1` to `CHANnel4`, or `POD1`.
        record: which record; both are of the same acquisition.

    Raises:
        BadAnswer: the preamble makes no sense.
        BadBlock: the block is truncated, or does not hold as many points as its preamble says.
        InstrumentReported: the oscilloscope refused to deliver it so.
        SettingRefused: it took another source, format, byte order, record or number of points than was sent.
    """
    is_pod = source.startswith("POD")
    chosen = program(session, _settings(source, record, is_pod=is_pod), operation=f"waveform of {source}")
    answer = session.query(":WAVeform:PREamble?")
    preamble = parse_preamble(answer, instrument=session.role, operation=f"preamble of {source}")
    _check_format(preamble, is_pod=is_pod, session=session, source=source)
    if round(float(chosen[POINTS])) != preamble.points:
        text = f"{POINTS} MAXimum was read back as {chosen[POINTS]!r}, but the preamble says {preamble.points} points"
        raise SettingRefused(text, instrument=session.role, operation=f"waveform of {source}")
    counts = session.query_block(":WAVeform:DATA?", "u1" if is_pod else "<u2")
    if counts.size != preamble.points:
        text = f"preamble promises {preamble.points} points, the block holds {counts.size}"
        raise BadBlock(text, instrument=session.role, operation=f"data of {source}")
    return Waveform(source=source, preamble=preamble, preamble_text=answer, counts=counts)  # type: ignore[arg-type]


def _settings(source: str, record: Record, *, is_pod: bool) -> tuple[Setting, ...]:
    return (
        Setting(header=":WAVeform:SOURce", value=source),
        Setting(header=":WAVeform:FORMat", value="BYTE" if is_pod else "WORD"),
        Setting(header=":WAVeform:BYTeorder", value="LSBFirst"),
        Setting(header=":WAVeform:UNSigned", value=True),
        *record.settings,
    )


def _check_format(preamble: Preamble, *, is_pod: bool, session: VisaSession, source: str) -> None:
    wanted = 0 if is_pod else 1
    if preamble.format_code != wanted:
        text = f"data format must be {wanted} (0 BYTE, 1 WORD), the preamble says {preamble.format_code}"
        raise BadBlock(text, instrument=session.role, operation=f"preamble of {source}")
    if preamble.type_code == PEAK:
        # A smallest and a largest value a point: no samples on an even axis. Who set that was not the driver.
        text = "the acquisition type is PEAK, which this driver never sets: somebody did at the front panel; arm again"
        raise BadBlock(text, instrument=session.role, operation=f"preamble of {source}")
