"""Settings of the front panel that change nothing in this world: taken where valid, and read back.

They are part of the set-up, and `*RST` returns them to their defaults. Ranges and choices are those of the 2000
X-Series as far as they are known; nothing of this has been compared with a real instrument.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.scpi_tree import Call, ScpiTree
from instruments.simulated.scpi_values import (
    number_to_nr1,
    number_to_nr3,
    switch_to_text,
    text_to_choice,
    text_to_number,
    text_to_switch,
    unquoted,
)

LONGEST_TEXT = 254


@dataclass(frozen=True, slots=True)
class _Kept:
    default: str
    """Answer after `*RST`."""
    take: Callable[[str], str]
    """Parameter to answer; refuses what the instrument would refuse."""


def _switch(default: str = "0") -> _Kept:
    return _Kept(default, lambda text: switch_to_text(text_to_switch(text)))


def _choice(*choices: str) -> _Kept:
    """Keep one of some words; the first is the default."""
    return _Kept(text_to_choice(choices[0], choices), partial(text_to_choice, choices=choices))


def _number(default: float, low: float = -9.9e37, high: float = 9.9e37) -> _Kept:
    return _Kept(number_to_nr3(default), lambda text: number_to_nr3(_within(text, low, high)))


def _whole(default: int, low: int, high: int) -> _Kept:
    return _Kept(number_to_nr1(default), lambda text: number_to_nr1(round(_within(text, low, high))))


def _text() -> _Kept:
    return _Kept('""', lambda text: f'"{unquoted(text)[:LONGEST_TEXT]}"')


def _within(text: str, low: float, high: float) -> float:
    value = text_to_number(text)
    if not low <= value <= high:
        raise ScpiError(-222)
    return value


def _persistence(text: str) -> str:
    try:
        return text_to_choice(text, ("MINimum", "INFinite"))
    except ScpiError:
        return number_to_nr3(_within(text, 0.1, 60.0))


_COLOURS = ("WHITe", "CH1", "CH2", "CH3", "CH4", "DIG", "MATH", "REF", "MARKer", "RED")
_CHANNELS = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")
_KEPT = {
    "ACQuire:COMPlete": _whole(100, 100, 100),
    "ACQuire:DAALias": _choice("DISable", "AUTO"),
    "CHANnel<n>:VERNier": _switch(),
    "CHANnel<n>:PROTection": _choice("NORM", "CLEar"),
    "CHANnel<n>:PROBe:STYPe": _choice("SINGle", "DIFFerential"),
    "CHANnel<n>:PROBe:HEAD[:TYPE]": _choice("NONE", "SEND0", "SEND6", "SEND12", "SEND20"),
    "DIGital<n>:LABel": _text(),
    "DIGital<n>:POSition": _whole(0, 0, 15),
    "DIGital<n>:SIZE": _choice("MEDium", "SMALl", "LARGe"),
    "POD<n>:SIZE": _choice("MEDium", "SMALl", "LARGe"),
    "DISPlay:LABel": _switch(),
    "DISPlay:VECTors": _Kept("1", lambda text: text_to_choice(text, ("1", "ON")) and "1"),
    "DISPlay:PERSistence": _Kept("MIN", _persistence),
    "DISPlay:INTensity:WAVeform": _whole(50, 0, 100),
    "DISPlay:ANNotation": _switch(),
    "DISPlay:ANNotation:TEXT": _text(),
    "DISPlay:ANNotation:COLor": _choice(*_COLOURS),
    "DISPlay:ANNotation:BACKground": _choice("OPAQue", "INVerted", "TRANsparent"),
    "FUNCtion:DISPlay": _switch(),
    "FUNCtion:OPERation": _choice("ADD", "SUBTract", "MULTiply", "FFT"),
    "FUNCtion:SOURce<n>": _choice(*_CHANNELS),
    "FUNCtion:OFFSet": _number(0.0),
    "FUNCtion:RANGe": _number(8.0, 0.0),
    "FUNCtion:SCALe": _number(1.0, 0.0),
    "FUNCtion[:FFT]:CENTer": _number(2.5e4, 0.0),
    "FUNCtion[:FFT]:SPAN": _number(5e4, 0.0),
    "FUNCtion[:FFT]:WINDow": _choice("HANNing", "RECTangular", "FLATtop", "BHARris"),
    "FUNCtion[:FFT]:VTYPe": _choice("DECibel", "VRMS"),
    "HARDcopy:AREA": _choice("SCReen"),
    "HARDcopy:FACTors": _switch(),
    "HARDcopy:FFEed": _switch(),
    "HARDcopy:INKSaver": _switch("1"),
    "HARDcopy:LAYout": _choice("PORTrait", "LANDscape"),
    "HARDcopy:PALette": _choice("COLor", "GRAYscale", "NONE"),
    "MARKer:MODE": _choice("OFF", "MEASurement", "MANual", "WAVeform"),
    "MEASure:SHOW": _switch("1"),
    "MEASure:STATistics:DISPlay": _switch("1"),
    "MEASure:WINDow": _choice("AUTO", "MAIN", "ZOOM"),
    "SYSTem:MENU": _choice("MEASure", "MASK", "SEGMented", "LISTer", "POWer"),
    "SYSTem:PROTection:LOCK": _switch(),
    "TIMebase:VERNier": _switch(),
    "TIMebase:WINDow:POSition": _number(0.0),
    "TIMebase:WINDow:RANGe": _number(5e-4, 0.0),
    "TIMebase:WINDow:SCALe": _number(5e-5, 0.0),
    "TRIGger:HFReject": _switch(),
    "TRIGger[:EDGE]:REJect": _choice("OFF", "LFReject", "HFReject"),
    "TRIGger:GLITch:POLarity": _choice("POSitive", "NEGative"),
    "TRIGger:GLITch:QUALifier": _choice("LESSthan", "GREaterthan", "RANGe"),
    "TRIGger:GLITch:LESSthan": _number(3e-8, 2e-9, 10.0),
    "TRIGger:GLITch:GREaterthan": _number(1e-8, 2e-9, 10.0),
    "TRIGger:GLITch:SOURce": _choice(*_CHANNELS),
    "TRIGger:TV:LINE": _whole(5, 1, 1100),
    "TRIGger:TV:MODE": _choice("LFIeld1", "LFIeld2", "LALTernate", "ALINes", "FIEld1", "FIEld2", "AFIelds", "LINE"),
    "TRIGger:TV:POLarity": _choice("NEGative", "POSitive"),
    "TRIGger:TV:SOURce": _choice(*_CHANNELS),
    "TRIGger:TV:STANdard": _choice("NTSC", "PAL", "PALM", "SECam"),
    "WAVeform:VIEW": _choice("MAIN"),
}  # fmt: skip
_NUMBERS = {
    "CHANnel": (-113, range(1, 5)),
    "FUNCtion": (-113, range(1, 3)),
    "DIGital": (-241, range(8)),
    "POD": (-241, (1,)),
}
"""Numbers that a header may have, by its first node, and the error of others."""


def add_kept_settings(tree: ScpiTree, acquisition: Acquisition) -> None:
    """Add all of them."""
    for pattern, kept in _KEPT.items():
        tree.add(pattern, write=partial(_set, acquisition, pattern), query=partial(_get, acquisition, pattern, kept))


def _set(acquisition: Acquisition, pattern: str, call: Call) -> None:
    acquisition.settings.kept[_key(pattern, call)] = _KEPT[pattern].take(call.text())


def _get(acquisition: Acquisition, pattern: str, kept: _Kept, call: Call) -> str:
    return acquisition.settings.kept.get(_key(pattern, call), kept.default)


def _key(pattern: str, call: Call) -> str:
    """Return the name that a setting is kept by: its pattern, and the number in its header.

    Raises:
        ScpiError: -113 or -241, there is no such channel or line.
    """
    if not call.suffixes:
        return pattern
    code, numbers = _NUMBERS[pattern.partition(":")[0].partition("<")[0]]
    if call.channel not in numbers:
        raise ScpiError(code)
    return f"{pattern} {call.channel}"
