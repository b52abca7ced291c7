"""The supply's trigger system: where a trigger comes from, and when triggered levels are taken (reference 2.2)."""

from collections.abc import Callable

from instruments.simulated.error_queue import ScpiError
from instruments.simulated.scpi_tree import Call, ScpiTree
from instruments.simulated.scpi_values import number_to_nr3, text_to_choice, text_to_limit

LONGEST_DELAY_S = 3600.0


class SupplyTrigger:
    """`:TRIGger` and `:INITiate`.

    `*TRG` takes the triggered levels at once here, armed or not, and the delay is kept without effect.
    """

    def __init__(self, take: Callable[[], None]) -> None:
        self._take = take
        self.reset()

    def reset(self) -> None:
        """Return to the bus as the source, without delay."""
        self._source, self._delay_s = "BUS", 0.0

    def add_to(self, tree: ScpiTree) -> None:
        """Add the commands."""
        tree.add("TRIGger[:SEQuence]:SOURce", write=self._set_source, query=lambda _: self._source)
        tree.add("TRIGger[:SEQuence]:DELay", write=self._set_delay, query=lambda _: self._delay())
        tree.add("INITiate[:IMMediate]", write=lambda _: self._initiate())

    def _set_source(self, call: Call) -> None:
        self._source = text_to_choice(call.text(), ("BUS", "IMMediate"))

    def _set_delay(self, call: Call) -> None:
        delay_s = text_to_limit(call.text(), {"MIN": 0.0, "MAX": LONGEST_DELAY_S})
        if not 0.0 <= delay_s <= LONGEST_DELAY_S:
            raise ScpiError(-222)
        self._delay_s = delay_s

    def _delay(self) -> str:
        return number_to_nr3(self._delay_s, exponent_digits=2)

    def _initiate(self) -> None:
        if self._source == "IMM":
            self._take()
