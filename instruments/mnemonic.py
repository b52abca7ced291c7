"""Mnemonic: a SCPI word, which instruments take in long form and answer in short form."""

import re

_PARTS = re.compile(r"([A-Z]+)([a-z]*)(\d*)")


def short_form(mnemonic: str) -> str:
    """Return the short form of a mnemonic written as in a manual: `NORMal` is `NORM`, `CHANnel1` is `CHAN1`."""
    match = _PARTS.fullmatch(mnemonic)
    return match[1] + match[3] if match else mnemonic.upper()


def same_mnemonic(mnemonic: str, answer: str) -> bool:
    """Tell whether an answer, in short or long form and any case, is this mnemonic."""
    return answer.upper() in (short_form(mnemonic), mnemonic.upper())
