"""Commands about what is on the screen: sources shown and hidden, autoscale, and the whole of a subsystem at once."""

from collections.abc import Iterator
from functools import partial

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.autoscale import autoscale
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.scpi_tree import Call, ScpiTree, parse_header
from instruments.simulated.scpi_values import switch_to_text, text_to_choice

_CHANNELS = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")
_SOURCES = (*_CHANNELS, *(f"DIGital{line}" for line in range(8)), "POD1")
_SUBSYSTEMS = {
    "ACQuire": "MODE TYPE COMP COUN",
    "CHANnel<n>": "RANG OFFS COUP IMP DISP BWL INV LAB UNIT PROB PROB:SKEW STYP=PROB:STYP",
    "DIGital<n>": "DISP THR LAB POS",
    "DISPlay": "LAB VECT PERS INT:WAV",
    "DVM": "ENAB SOUR MODE",
    "FUNCtion": "DISP OPER SOUR1 SOUR2 RANG OFFS",
    "HARDcopy": "AREA FACT FFE INKS LAY PAL",
    "MEASure": "SOUR STAT",
    "POD<n>": "DISP THR SIZE",
    "TIMebase": "MODE REF MAIN:RANG=RANG POS",
    "TRIGger": "MODE SWE HFR HOLD EDGE:SOUR EDGE:LEV EDGE:SLOP EDGE:REJ EDGE:COUP",
    "WAVeform": "UNS VIEW BYT FORM POIN POIN:MODE SOUR",
}
"""What the query of a whole subsystem answers: short forms, and after `=` the query that knows it by another name."""


class ViewCommands:
    """`:VIEW`, `:BLANk`, `:STATus?`, `:AUToscale`, and queries such as `:CHANnel1?`."""

    def __init__(self, tree: ScpiTree, acquisition: Acquisition) -> None:
        self._tree = tree
        self._acquisition = acquisition

    def add_to(self, tree: ScpiTree) -> None:
        """Add the commands."""
        tree.add("VIEW", write=lambda call: self._show(_source(call), True))
        tree.add("BLANk", write=self._blank)
        tree.add("STATus", query=lambda call: switch_to_text(self._shown(_source(call))))
        tree.add("AUToscale", write=self._autoscale)
        tree.add("CDISplay", write=_clear)
        tree.add("DISPlay:CLEar", write=_clear)
        for pattern, contents in _SUBSYSTEMS.items():
            tree.add(pattern, query=partial(self._subsystem, pattern, contents.split()))

    def _show(self, source: str, shown: bool) -> None:
        header = source if source[-1].isdigit() else f"{source}1"
        write, suffixes = self._tree.find(parse_header(f"{header}:DISP"), is_query=False)
        write(Call(suffixes, (switch_to_text(shown),)))

    def _shown(self, source: str) -> bool:
        return self._ask(f"{source}:DISP") == "1"

    def _blank(self, call: Call) -> None:
        for source in [_source(call)] if call.arguments else [text_to_choice(one, _SOURCES) for one in _SOURCES]:
            self._show(source, False)

    def _autoscale(self, call: Call) -> None:
        autoscale(self._acquisition, {int(text_to_choice(one, _CHANNELS)[-1]) for one in call.arguments})

    def _subsystem(self, pattern: str, contents: list[str], call: Call) -> str:
        number = str(call.channel) if call.suffixes else ""
        short = "".join(letter for letter in pattern.removesuffix("<n>") if not letter.islower())
        return f":{short}{number}:" + ";".join(self._entries(f"{short}{number}", contents))

    def _entries(self, header: str, contents: list[str]) -> Iterator[str]:
        for entry in contents:
            name, _, query = entry.partition("=")
            try:
                yield f"{name} {self._ask(f'{header}:{query or name}')}"
            except ScpiError as error:
                if error.code != -221:  # no level: the trigger's source has none
                    raise

    def _ask(self, header: str) -> str:
        query, suffixes = self._tree.find(parse_header(header), is_query=True)
        return str(query(Call(suffixes, ())))


def _source(call: Call) -> str:
    return text_to_choice(call.text(), _SOURCES)


def _clear(_: Call) -> None:
    """Clear the screen, which the next sweep fills again."""
