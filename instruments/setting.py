"""Setting: one parameter of an instrument, sent, read back, and refused where the instrument took another value."""

from collections.abc import Iterable
from dataclasses import dataclass

from instruments.answer_number import text_to_number
from instruments.errors import SettingRefused
from instruments.mnemonic import same_mnemonic
from instruments.visa_session import VisaSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A parameter to program. Instruments clamp silently, so only what is read back counts."""

    header: str
    """Command without its value, such as `:CHANnel1:SCALe`; with `?` it is the query."""
    value: float | str | bool
    """Number in SI units, mnemonic as written in the manual, or switch."""
    tolerance: float = 0.0
    """How far a number may be read back from the one sent (resolution of the instrument), in the number's unit."""
    also: tuple[str, ...] = ()
    """Other mnemonics that mean the same when read back."""
    names_number: bool = False
    """Whether the mnemonic stands for a number above 0, such as `MAXimum`, and that number is what is read back."""

    @property
    def command(self) -> str:
        """The message that programs it."""
        return f"{self.header} {self._argument()}"

    def accepts(self, answer: str) -> bool:
        """Tell whether an answer to the query is the value that was sent."""
        if self.names_number:
            return text_to_number(answer) > 0
        if isinstance(self.value, str):
            return any(same_mnemonic(word, answer) for word in (self.value, *self.also))
        number = text_to_number(answer)
        if isinstance(self.value, bool):
            return number == float(self.value)
        return abs(number - self.value) <= self.tolerance

    def _argument(self) -> str:
        if isinstance(self.value, bool):
            return "1" if self.value else "0"
        return self.value if isinstance(self.value, str) else f"{self.value:.9G}"


def program(session: VisaSession, settings: Iterable[Setting], *, operation: str) -> dict[str, str]:
    """Send settings in order, then read every one back.

    Returns:
        Answer by header, as the instrument wrote it.

    Raises:
        SettingRefused: one or more were read back otherwise; all of them are listed.
        InstrumentReported: the error queue was not empty after it.
    """
    wanted = list(settings)
    for setting in wanted:
        session.write(setting.command)
    session.check_errors(operation)
    answers = {setting.header: session.query(setting.header + "?") for setting in wanted}
    refused = [setting for setting in wanted if not setting.accepts(answers[setting.header])]
    if refused:
        listed = "; ".join(_describe(setting, answers[setting.header]) for setting in refused)
        raise SettingRefused(f"not taken as sent: {listed}", instrument=session.role, operation=operation)
    return answers


def _describe(setting: Setting, answer: str) -> str:
    bound = f" (within {setting.tolerance:g})" if setting.tolerance else ""
    return f"sent {setting.command!r}, read back {answer!r}{bound}"
