"""Commands of segmented memory, an option (reference 1.4): how many segments, which one is read, when it triggered."""

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.sample_rate import most_segments
from instruments.simulated.scope_settings import AcquisitionKind
from instruments.simulated.scpi_tree import Call, ScpiTree
from instruments.simulated.scpi_values import number_to_nr1, number_to_nr3, text_to_choice, text_to_number
from instruments.simulated.sweep import Sweep

FEWEST_SEGMENTS = 2


class SegmentCommands:
    """Segments set, counted, selected and told; without the option everything but the ordinary mode is refused.

    `:WAVeform:SEGMented:ALL` and `:XLISt`, which sister families have, are unknown here.
    """

    def __init__(self, acquisition: Acquisition) -> None:
        self._acquisition = acquisition

    def add_to(self, tree: ScpiTree) -> None:
        """Add the commands."""
        scope = self._acquisition
        tree.add("ACQuire:MODE", write=self._set_mode, query=lambda _: scope.settings.mode)
        tree.add("ACQuire:SEGMented:COUNt", write=self._set_count, query=lambda _: self._count())
        tree.add("ACQuire:SEGMented:INDex", write=self._select, query=lambda _: self._index())
        tree.add("WAVeform:SEGMented:COUNt", query=lambda _: number_to_nr1(len(self._acquired())))
        tree.add("WAVeform:SEGMented:TTAG", query=lambda _: self._time_tag())

    def _set_mode(self, call: Call) -> None:
        mode = text_to_choice(call.text(), ("RTIMe", "SEGMented"))
        if mode == "SEGM":
            self._refuse_without_option()
            if self._acquisition.settings.kind is AcquisitionKind.AVERAGE:
                raise ScpiError(-221)
        self._acquisition.settings.mode = mode

    def _set_count(self, call: Call) -> None:
        self._refuse_without_option()
        # Clamped in silence [?], as other settings are.
        most = most_segments(self._acquisition.memory_points)
        wanted = int(text_to_number(call.text()))
        self._acquisition.settings.segment_count = min(max(wanted, FEWEST_SEGMENTS), most)

    def _count(self) -> str:
        self._refuse_without_option()
        return number_to_nr1(self._acquisition.settings.segment_count)

    def _select(self, call: Call) -> None:
        wanted = int(text_to_number(call.text()))
        if not 1 <= wanted <= len(self._acquired()):
            raise ScpiError(-222)
        self._acquisition.segment_index = wanted

    def _index(self) -> str:
        self._refuse_without_option()
        return number_to_nr1(self._acquisition.segment_index)

    def _time_tag(self) -> str:
        acquired = self._acquired()
        if not acquired:
            raise ScpiError(-230)
        return number_to_nr3(_since_first_s(acquired, self._acquisition.segment_index))

    def _acquired(self) -> list[Sweep]:
        self._refuse_without_option()
        self._acquisition.advance()
        return self._acquisition.segment_sweeps

    def _refuse_without_option(self) -> None:
        if not self._acquisition.segmented_memory:
            raise ScpiError(-241)


def _since_first_s(sweeps: list[Sweep], index: int) -> float:
    """Return the time of a segment's trigger after the first one's, by the scope's own clock, in seconds."""
    sweep = sweeps[index - 1]
    return (sweep.trigger_s - sweeps[0].trigger_s) / (1.0 + sweep.clock_error)
