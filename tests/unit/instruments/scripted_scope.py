"""A scripted oscilloscope that keeps settings, arms, and delivers one record: enough for a driver's happy path."""

import numpy as np

from tests.unit.instruments.scripted_instrument import Answer, block, echo

IDENTITY = "AGILENT TECHNOLOGIES,MSO-X 2024A,MY00000001,02.65.2021102830"
SETUP = b"as the lab left it"
POINTS = 1000
CODES = (np.arange(POINTS) % 200 * 256 + 0x2000).astype("<u2")
POD = (np.arange(POINTS) >= 100).astype("u1")


def preamble(
    *, data_format: int = 1, points: int = POINTS, x_origin_s: float = -0.2, y_axis: str = "+3.14E-005,+8.0E-001"
) -> str:
    return f"+{data_format},+0,+{points},+1,+2.0E-003,{x_origin_s:+.8E},+0,{y_axis},+32768"


class ScriptedScope:
    """Answers as the reference says; `overrides` and `clamped` bend single answers."""

    def __init__(self, overrides: dict[str, str | bytes] | None = None, clamped: dict[str, str] | None = None) -> None:
        self.condition = "0"
        self.triggered = "+1"
        self.overrides = overrides or {}
        self.source = ""
        self._keep: Answer = echo({"*IDN?": IDENTITY, ":SYSTem:ERRor?": '+0,"No error"'}, clamped)
        self._armed = "+0"
        self._trigger_told = False

    def __call__(self, message: str) -> bytes | None:
        if message.startswith(":WAVeform:SOURce "):
            self.source = message.partition(" ")[2]
        answer = self._special(message)
        if answer is None:
            return self._keep(message)
        return answer if isinstance(answer, bytes) else f"{answer}\n".encode()

    def _special(self, message: str) -> str | bytes | None:
        pod = self.source == "POD1"
        key = f"{message} {self.source}" if message.startswith(":WAV") else message
        if key in self.overrides:
            return self.overrides[key]
        match message:
            case ":SINGle":
                self._armed, self._trigger_told = "+1", False
            case ":AER?":
                armed, self._armed = self._armed, "+0"
                return armed
            case ":TER?":
                told, self._trigger_told = self._trigger_told, True
                return "+0" if told else self.triggered
            case ":OPERegister:CONDition?":
                return self.condition
            case ":RSTate?":
                return "RUN"
            case ":SYSTem:SETup?":
                return block(SETUP)
            case ":ACQuire:SRATe?":
                return "+5.0E+02"
            case ":WAVeform:POINts?":
                return f"+{POINTS}"
            case ":WAVeform:PREamble?":
                y_axis = "+7.85E-004,+1.5E+001" if self.source == "CHANnel2" else "+3.14E-005,+8.0E-001"
                return preamble(data_format=0 if pod else 1, y_axis=y_axis)
            case ":WAVeform:DATA?":
                return block((POD if pod else CODES).tobytes())
        return None
