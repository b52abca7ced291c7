"""Said: what a person says for a certificate, as entries `KEY=VALUE`."""

from collections.abc import Sequence

from calibration.errors import BadEntry
from calibration.workbench import Particulars

SERIAL = "serial."


def particulars_from(say: Sequence[str], *, made_by: str, validity_days: float) -> Particulars:
    """Return what a certificate says beside what was measured.

    Args:
        say: entries: `made_by`, `note`, `serial.ROLE`, and anything of the room.
        made_by: who made it where no entry says so.
        validity_days: how long it holds, in days.

    Raises:
        BadEntry: an entry is no `KEY=VALUE`.
    """
    entries = dict(_entry(text) for text in say)
    made_by, note = entries.pop("made_by", made_by), entries.pop("note", "")
    serials = {key.removeprefix(SERIAL): entries.pop(key) for key in list(entries) if key.startswith(SERIAL)}
    return Particulars(made_by=made_by, validity_days=validity_days, serials=serials, environment=entries, note=note)


def _entry(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not (separator and key):
        raise BadEntry(f"--say takes KEY=VALUE, got {text!r}")
    return key, value
