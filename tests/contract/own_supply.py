"""A PS-1 on a loopback socket, with a resistor at its output; and its driver's package, as if installed."""

import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from instruments.mnemonic import short_form

PACKAGE = Path(__file__).resolve().parents[2] / "examples" / "own-supply"
IDENTITY = "Example Instruments,PS-1,1001,1.0"
CV, CC, OVER_VOLTAGE = 256, 1024, 1


class Ps1:
    """Answers messages. Its output is an ideal source with a current limit, and follows at once."""

    def __init__(self, *, load_ohm: float = 10.0) -> None:
        self.load_ohm = load_ohm
        self.settings = {"VOLT": 5.0, "CURR": 1.0, "OUTP": 1.0, "VOLT:PROT": 33.0, "VOLT:PROT:STAT": 0.0}
        self.tripped = False
        self.latched = 0
        self.errors: list[str] = []

    def __call__(self, message: str) -> bytes | None:
        header, _, argument = message.removesuffix("?").lstrip(":").partition(" ")
        name = ":".join(short_form(word) for word in header.split(":"))
        if message.endswith("?"):
            return f"{self._answer(name)}\n".encode()
        if name == "VOLT:PROT:CLE":
            self.tripped = False
            self._latch()
        else:
            self._set(name, float(argument))
        return None

    @property
    def output(self) -> tuple[float, float, int]:
        """Voltage in volt, current in ampere and regulation."""
        if self.tripped or not self.settings["OUTP"]:
            return 0.0, 0.0, 0
        current_a = self.settings["VOLT"] / self.load_ohm
        if current_a > self.settings["CURR"]:
            return self.settings["CURR"] * self.load_ohm, self.settings["CURR"], CC
        return self.settings["VOLT"], current_a, CV

    def load(self, ohm: float) -> None:
        """Change what the board draws; whatever the regulation then is, is latched."""
        self.load_ohm = ohm
        self._latch()

    def _latch(self) -> None:
        self.tripped |= bool(self.settings["VOLT:PROT:STAT"]) and self.output[0] > self.settings["VOLT:PROT"]
        self.latched |= self.output[2]

    def _set(self, name: str, value: float) -> None:
        if name not in self.settings:
            self.errors.append('-113,"Undefined header"')
            return
        self.settings[name] = round(value, 3)
        self._latch()

    def _answer(self, name: str) -> str:
        match name:
            case "*IDN":
                return IDENTITY
            case "SYST:ERR":
                return self.errors.pop(0) if self.errors else '0,"No error"'
            case "MEAS:VOLT" | "MEAS:CURR":
                return f"{self.output[name == 'MEAS:CURR']:.4E}"
            case "STAT:OPER:COND":
                return str(self.output[2])
            case "STAT:OPER":
                latched, self.latched = self.latched, 0
                return str(latched)
            case "STAT:QUES:COND" | "STAT:QUES":
                return str(OVER_VOLTAGE * self.tripped)
        return f"{self.settings[name]:.3f}"


@contextmanager
def installed(folder: Path, text: str | None = None) -> Iterator[None]:
    """Make what `pip install examples/own-supply` leaves: the module to be found, and the entry points beside it.

    Args:
        folder: empty; it takes the place of site-packages.
        text: entry points; None: those of the package's own pyproject.toml.
    """
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    groups = project["entry-points"].items()
    own = "".join(
        f"[{group}]\n" + "".join(f"{name} = {at}\n" for name, at in points.items()) for group, points in groups
    )
    information = folder / f"{re.sub('[-.]+', '_', project['name'])}-{project['version']}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0.0\n")
    (information / "entry_points.txt").write_text(own if text is None else text)
    before = list(sys.path)
    sys.path[:0] = [str(folder), str(PACKAGE)]
    try:
        yield
    finally:
        sys.path[:] = before
        sys.modules.pop("ps1_supply", None)
