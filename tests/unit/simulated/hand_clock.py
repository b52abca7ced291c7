"""A world whose time stands still until a test moves it."""

from collections.abc import Sequence
from typing import Any

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.faults import Faults
from instruments.simulated.scope_dialect import ScopeDialect
from instruments.simulated.supply_dialect import SupplyDialect
from instruments.simulated.truth_log import TruthLog
from instruments.simulated.world import World, WorldSettings


class HandClock:
    """Clock moved by hand."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def pass_s(self, duration_s: float) -> None:
        self.time_s += duration_s


class HandBench:
    """World and dialects on a hand clock, without servers."""

    def __init__(self, *, background: bool = False, **settings: Any) -> None:
        self.clock = HandClock()
        self.world = World(WorldSettings(**settings), self.clock)
        self.truth = TruthLog()
        self.faults = Faults()
        self.acquisition = Acquisition(self.world, self.truth, faults=self.faults, background=background)
        self.scope = ScopeDialect(self.acquisition, self.faults)
        self.supply = SupplyDialect(self.world, self.faults)

    def wait(self, duration_s: float, *, steps: int = 1) -> None:
        for _ in range(steps):
            self.clock.pass_s(duration_s / steps)
            self.acquisition.advance()

    def write(self, *messages: str) -> None:
        for message in messages:
            assert self.scope.receive(message.encode()) is None, message

    def ask(self, message: str) -> str:
        return self.ask_bytes(message).decode()

    def ask_bytes(self, message: str) -> bytes:
        answer = self.scope.receive(message.encode())
        assert answer is not None, message
        assert answer.data.endswith(b"\n")
        return answer.data[:-1]

    def ask_supply(self, message: str) -> str:
        answer = self.supply.receive(message.encode())
        assert answer is not None, message
        return answer.data.decode().rstrip("\n")

    def set_supply(self, *messages: str) -> None:
        for message in messages:
            assert self.supply.receive(message.encode()) is None, message

    def errors(self) -> list[str]:
        return _drained(self.ask)

    def supply_errors(self) -> list[str]:
        return _drained(self.ask_supply)

    def prepare(self, *extra: str) -> None:
        """Set the scope up as a measurement does, stopped."""
        self.write(
            "*RST;:STOP",
            ":CHANnel1:PROBe 10;UNITs AMPere;SCALe 0.2;OFFSet 0.6",
            ":TIMebase:RANGe 2;REFerence LEFT;POSition 0",
            ":POD1:DISPlay 1",
            ":TRIGger:MODE EDGE;EDGE:SOURce DIGital0;SLOPe POSitive",
            ":WAVeform:FORMat WORD;BYTeorder LSBFirst;UNSigned 1;POINts:MODE RAW",
            *extra,
            "*CLS",
        )

    def capture(self, pulses: Sequence[tuple[float, float]]) -> None:
        """Arm, play pulses on the marker, and let the sweep complete."""
        self.write(":SINGle")
        self.wait(0.25)
        self.world.play(pulses)
        self.wait(2.5, steps=5)
        assert self.ask(":OPERegister:CONDition?") == "+0"


def _drained(ask: Any) -> list[str]:
    entries: list[str] = []
    while (entry := ask("SYSTem:ERRor?")) != '+0,"No error"':
        entries.append(entry)
    return entries
