"""Waveform: the codes of one source of a completed record, with the preamble they came with."""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from instruments.errors import BadBlock, SettingRefused
from instruments.oscilloscope_settings import AcquisitionType
from instruments.preamble import Preamble, parse_preamble
from instruments.setting import Setting, program
from instruments.visa_session import VisaSession
from metrology.trace import Trace, Unit

POINTS = ":WAVeform:POINts"
"""Header of the number of points."""
TYPE_CODES = {
    AcquisitionType.NORMAL: (0,),
    AcquisitionType.PEAK: (1,),
    AcquisitionType.AVERAGE: (2,),
    # The 2000 X-Series' list of types ends at 2; that of its sisters has 3 for high resolution (reference 1.6).
    AcquisitionType.HIGH_RESOLUTION: (0, 2, 3),
}
"""What the second field of a channel's preamble may say, by acquisition type."""
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
    """Codes, uint16 for a channel, uint8 for a pod; shape (n,), of a channel in the type PEAK (2 n,)."""

    def trace(self, unit: Unit, *, part: slice = slice(None)) -> Trace:
        """Return the codes of a channel, or a part of them, as a trace."""
        return Trace(
            counts=self.counts[part].astype(np.uint16, copy=False),
            scale=self.preamble.scale,
            unit=unit,
            clip_low_counts=CLIP_LOW_COUNTS,
            clip_high_counts=CLIP_HIGH_COUNTS,
        )


class Record(Enum):
    """Which of an acquisition's two records is read (reference 1.5)."""

    RAW = auto()
    """The acquisition record: every sample, as long as the memory. Of an average it holds nothing, of high resolution
    the samples as converted."""
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


RECORDS = {
    AcquisitionType.NORMAL: Record.RAW,
    AcquisitionType.HIGH_RESOLUTION: Record.MEASUREMENT,
    AcquisitionType.AVERAGE: Record.MEASUREMENT,
    AcquisitionType.PEAK: Record.RAW,
}
"""Which record holds what an acquisition type is chosen for."""


def read_waveform(session: VisaSession, source: str, acquisition: AcquisitionType = AcquisitionType.NORMAL) -> Waveform:
    """Read one source of a stopped oscilloscope: 16-bit codes of a channel, bytes of a pod.

    Args:
        session: the oscilloscope's.
        source: `CHANnel1` to `CHANnel4`, or `POD1`.
        acquisition: type that the record was acquired in; of PEAK two codes come for each point of a channel.

    Raises:
        BadAnswer: the preamble makes no sense.
        BadBlock: the block is truncated, does not hold what its preamble promises, or is of another acquisition type.
        InstrumentReported: the oscilloscope refused to deliver it so.
        SettingRefused: it took another source, format, byte order, record or number of points than was sent.
    """
    is_pod = source.startswith("POD")
    wanted = _settings(source, RECORDS[acquisition], is_pod=is_pod)
    chosen = program(session, wanted, operation=f"waveform of {source}")
    answer = session.query(":WAVeform:PREamble?")
    preamble = parse_preamble(answer, instrument=session.role, operation=f"preamble of {source}")
    _check_format(preamble, is_pod=is_pod, session=session, source=source)
    if not is_pod:
        _check_kind(preamble, acquisition, session=session, source=source)
    if round(float(chosen[POINTS])) != preamble.points:
        text = f"{POINTS} MAXimum was read back as {chosen[POINTS]!r}, but the preamble says {preamble.points} points"
        raise SettingRefused(text, instrument=session.role, operation=f"waveform of {source}")
    counts = session.query_block(":WAVeform:DATA?", "u1" if is_pod else "<u2")
    codes_a_point = 2 if acquisition is AcquisitionType.PEAK and not is_pod else 1
    if counts.size != codes_a_point * preamble.points:
        promised = f"{preamble.points} points" if codes_a_point == 1 else f"{preamble.points} points of two values"
        text = f"preamble promises {promised}, the block holds {counts.size}"
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


def _check_kind(preamble: Preamble, acquisition: AcquisitionType, *, session: VisaSession, source: str) -> None:
    if preamble.type_code not in TYPE_CODES[acquisition]:
        found = next(kind for kind, codes in TYPE_CODES.items() if codes[-1] == preamble.type_code)
        text = (
            f"the acquisition type must be {acquisition}, the preamble says {preamble.type_code} ({found}): "
            "was it changed at the front panel? Arm again"
        )
        raise BadBlock(text, instrument=session.role, operation=f"preamble of {source}")
