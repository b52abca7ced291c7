"""`:AUToscale`: show every input that has a signal, and fit the screen to it."""

from collections.abc import Collection

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.scope_settings import AcquisitionKind, ChannelSettings, TriggerSettings

GLANCE_S = 0.05
"""How long each input is looked at."""
SMALLEST_SIGNAL_V = 0.01
"""Peak to peak; what is smaller counts as no signal [?]."""
_DIVISIONS_FILLED = 6.0


def autoscale(acquisition: Acquisition, named: Collection[int] = ()) -> None:
    """Scale the named channels, or all that have a signal, and run; without any signal nothing changes."""
    ranges = {number: acquisition.glance_v(number, GLANCE_S) for number in named or acquisition.settings.channels}
    found = {number: range_ for number, range_ in ranges.items() if number in named or _is_signal(*range_)}
    if not found:
        return
    settings = acquisition.settings
    settings.pod.displayed = False
    for number, channel in settings.channels.items():
        channel.displayed = number in found
        if number in found:
            _fit(channel, *found[number])
    source = min(found)
    level_v = sum(found[source]) / 2
    settings.trigger = TriggerSettings(source=f"CHAN{source}", levels={f"CHAN{source}": level_v})
    settings.time_base.position_s, settings.time_base.reference, settings.time_base.mode = 0.0, "CENT", "MAIN"
    settings.kind, settings.mode = AcquisitionKind.NORMAL, "RTIM"
    acquisition.run()


def _is_signal(low_v: float, high_v: float) -> bool:
    return high_v - low_v >= SMALLEST_SIGNAL_V or abs(high_v + low_v) / 2 >= SMALLEST_SIGNAL_V


def _fit(channel: ChannelSettings, low_v: float, high_v: float) -> None:
    wanted_v = max((high_v - low_v) / _DIVISIONS_FILLED, 0.001)
    steps = [mantissa * 10.0**exponent for exponent in range(-3, 1) for mantissa in (1, 2, 5)]
    channel.coupling = "DC"
    channel.set_scale(next((step for step in steps if step >= wanted_v), 5.0) * channel.ratio)
    channel.set_offset((low_v + high_v) / 2 * channel.ratio)
