"""Waveform: the codes of one source of a completed record, with the preamble they came with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instruments.errors import BadBlock
from instruments.preamble import Preamble, parse_preamble
from instruments.visa_session import VisaSession
from metrology.trace import Trace, Unit

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


def read_waveform(session: VisaSession, source: str) -> Waveform:
    """Read one source of a stopped oscilloscope: 16-bit codes of a channel, bytes of a pod.

    Raises:
        BadAnswer: the preamble makes no sense.
        BadBlock: the block is truncated, or does not hold as many points as its preamble says.
    """
    is_pod = source.startswith("POD")
    data_format = "BYTE" if is_pod else "WORD"
    # The raw record is the longest (reference 1.5); a length that somebody asked for earlier must not shorten it.
    session.write(
        f":WAVeform:SOURce {source};FORMat {data_format};BYTeorder LSBFirst;UNSigned 1;"
        "POINts:MODE RAW;:WAVeform:POINts MAXimum"
    )
    answer = session.query(":WAVeform:PREamble?")
    preamble = parse_preamble(answer, instrument=session.role, operation=f"preamble of {source}")
    _check_format(preamble, is_pod=is_pod, session=session, source=source)
    counts = session.query_block(":WAVeform:DATA?", "u1" if is_pod else "<u2")
    if counts.size != preamble.points:
        text = f"preamble promises {preamble.points} points, the block holds {counts.size}"
        raise BadBlock(text, instrument=session.role, operation=f"data of {source}")
    return Waveform(source=source, preamble=preamble, preamble_text=answer, counts=counts)  # type: ignore[arg-type]


def _check_format(preamble: Preamble, *, is_pod: bool, session: VisaSession, source: str) -> None:
    wanted = 0 if is_pod else 1
    if preamble.format_code != wanted:
        text = f"data format must be {wanted} (0 BYTE, 1 WORD), the preamble says {preamble.format_code}"
        raise BadBlock(text, instrument=session.role, operation=f"preamble of {source}")
