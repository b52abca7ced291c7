"""Vertical system: volts at an input to converter codes (reference 1.5 and 1.6)."""

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.error_draw import DrawnErrors
from instruments.simulated.scope_settings import AcquisitionKind, ChannelSettings

CODES_ON_SCREEN = 199
"""Byte codes that eight divisions span."""
REFERENCE_WORD = 32_768
HOLE, CLIPPED_LOW, CLIPPED_HIGH = 0, 1, 0xFFFF
GAIN_LIMIT = 0.03
OWN_NOISE_CODES = 0.3
"""Noise of the scope's own input stage, rms, in byte codes."""
_FINEST_STEP = {
    AcquisitionKind.NORMAL: 256,
    AcquisitionKind.PEAK: 256,
    AcquisitionKind.HIGH_RESOLUTION: 16,
    AcquisitionKind.AVERAGE: 16,
}
"""Step between codes in words: 8 bits as converted, 12 bits where averaged."""


def word_increment(channel: ChannelSettings) -> float:
    """Return the value of one word code, in channel units."""
    return 8.0 * channel.scale / CODES_ON_SCREEN / 256.0


class VerticalSystem:
    """Gain and offset of the four channels, drawn once."""

    def __init__(self, errors: DrawnErrors) -> None:
        self._errors = errors

    def codes(
        self, input_v: NDArray[np.float64], *, number: int, channel: ChannelSettings, kind: AcquisitionKind
    ) -> NDArray[np.uint16]:
        """Return word codes (shape (n,), uint16) of the volts at an input (same shape)."""
        if channel.coupling == "AC":
            input_v = input_v - input_v.mean()
        gain = 1.0 + self._errors.scope_gain[number] * GAIN_LIMIT
        volts_per_word = 8.0 * channel.input_scale_v / CODES_ON_SCREEN / 256.0
        # The offset is subtracted before the amplifier, so gain errors grow from the screen's centre.
        deflection = (input_v - channel.input_offset_v) * gain + self._offset_v(number, channel)
        if channel.inverted:
            deflection = -deflection
        step = _FINEST_STEP[kind]
        words = np.rint(deflection / (volts_per_word * step)) * step + REFERENCE_WORD
        return _clipped(words)

    def _offset_v(self, number: int, channel: ChannelSettings) -> float:
        limit_v = 0.1 * channel.input_scale_v + 0.002 + 0.01 * abs(channel.input_offset_v)
        return self._errors.scope_offset[number] * limit_v


def _clipped(words: NDArray[np.float64]) -> NDArray[np.uint16]:
    codes = np.clip(words, 0, CLIPPED_HIGH).astype(np.uint16)
    codes[words < 2 * 256] = CLIPPED_LOW
    codes[words >= 255 * 256] = CLIPPED_HIGH
    return codes
