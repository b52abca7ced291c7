"""A network for clock tests: delays that differ by direction, jitter, and sometimes stall."""

from dataclasses import dataclass

import numpy as np

from metrology.clock_offset import ClockExchange


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoClocks:
    """A board's and a lab's clock, and the network between them; true times are integer nanoseconds."""

    offset_ns: int
    """Lab less board at true time zero."""
    board_rate: float = 0.0
    """Relative rate of the board's clock."""
    lab_rate: float = 0.0
    """Relative rate of the lab's clock."""

    def board_ns(self, true_ns: float) -> int:
        return round(true_ns * (1 + self.board_rate))

    def lab_ns(self, true_ns: float) -> int:
        return round(true_ns * (1 + self.lab_rate)) + self.offset_ns

    def exchange(self, true_ns: float, *, out_s: float, back_s: float, answer_s: float = 20e-6) -> ClockExchange:
        received_ns = true_ns + out_s * 1e9
        answered_ns = received_ns + answer_s * 1e9
        return ClockExchange(
            board_sent_ns=self.board_ns(true_ns),
            lab_received_ns=self.lab_ns(received_ns),
            lab_answered_ns=self.lab_ns(answered_ns),
            board_received_ns=self.board_ns(answered_ns + back_s * 1e9),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Delays of either direction: a least one, and jitter upon it (exponential, with a rare stall)."""

    out_s: float
    back_s: float
    jitter_s: float

    def exchanges(
        self, clocks: TwoClocks, random: np.random.Generator, *, start_ns: int, count: int = 16
    ) -> list[ClockExchange]:
        """Return exchanges one after the other from a true time on."""
        found, at_ns = [], float(start_ns)
        for _ in range(count):
            out_s, back_s = self.out_s + self._jitter_s(random), self.back_s + self._jitter_s(random)
            found.append(clocks.exchange(at_ns, out_s=out_s, back_s=back_s))
            at_ns += (out_s + back_s) * 1e9 + 1e5
        return found

    def _jitter_s(self, random: np.random.Generator) -> float:
        stall_s = 0.05 if random.random() < 0.02 else 0.0
        return float(random.exponential(self.jitter_s)) + stall_s
