"""Set-ups stored in the scope: `*SAV` and `*RCL`, `:SAVE:SETup` and `:RECall:SETup`, and the clock beside them."""

from datetime import UTC, datetime

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.scpi_tree import Call, ScpiTree
from instruments.simulated.scpi_values import text_to_number, unquoted
from instruments.simulated.setup_block import settings_to_setup, setup_to_settings

PLACES = range(10)


class StoredSetups:
    """Set-ups by the number of their place, or by the name of a file in the instrument."""

    def __init__(self, acquisition: Acquisition) -> None:
        self._acquisition = acquisition
        self._stored: dict[int | str, bytes] = {}

    def add_to(self, tree: ScpiTree) -> None:
        """Add the commands."""
        for header in ("*SAV", "SAVE:SETup[:STARt]"):
            tree.add(header, write=self._save)
        for header in ("*RCL", "RECall:SETup[:STARt]"):
            tree.add(header, write=self._recall)
        # The clock cannot be set: there is one for all in this world, the computer's.
        tree.add("SYSTem:DATE", query=lambda _: f"{datetime.now(UTC):%Y,%-m,%-d}")
        tree.add("SYSTem:TIME", query=lambda _: f"{datetime.now(UTC):%-H,%-M,%-S}")

    def _save(self, call: Call) -> None:
        self._stored[_place(call.text())] = settings_to_setup(self._acquisition.settings)

    def _recall(self, call: Call) -> None:
        setup = self._stored.get(_place(call.text()))
        if setup is None:
            raise ScpiError(-221)  # [?] which error the instrument has for an empty place is not known
        self._acquisition.recall(setup_to_settings(setup))


def _place(text: str) -> int | str:
    if text[:1] in ("'", '"'):
        return unquoted(text).lower()
    place = text_to_number(text)
    if place not in PLACES:
        raise ScpiError(-222)
    return int(place)
