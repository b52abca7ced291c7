"""Operator: whoever changes the wiring when a procedure asks for it: a person, or a rehearsal's stand-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to be done at the bench."""

    text: str
    """What a person is to do, in one or two sentences."""
    wiring: Mapping[str, Any] = field(default_factory=dict)
    """The same for a simulated bench's side channel; `instruments.simulated.rewiring` says what there is."""
    pulses: tuple[tuple[float, float], ...] = ()
    """Marker pulses of (high, low) seconds that a simulated board is to make; the text tells a person."""


class Operator(Protocol):
    """Does steps and reads instruments that no wire reaches. Implementations: `daemon.cli.bench_person.BenchPerson`,
    `instruments.simulated.rehearsal.Rehearsal`.
    """

    def perform(self, step: Step) -> None:
        """Do a step, and return when it is done."""
        ...

    def read_number(self, question: str) -> float:
        """Answer a question with a number, such as an ammeter's reading."""
        ...


def disconnect_board() -> Step:
    """Return the step that takes the board away."""
    return Step(
        text="The supply's output is off. Disconnect the board, and leave the ends of the leads open. "
        "Keep the probe's jaw closed about the lead, with the turns as they are.",
        wiring={"load": "open", "jaw": "closed"},
    )


def connect_board() -> Step:
    """Return the step that brings the board back."""
    return Step(
        text="The supply's output is off. Take away what you connected, and connect the board again; voltage probe and "
        "jaw as they are for runs.",
        wiring={"load": "board", "jaw": "closed", "tap": "supply"},
    )


def short_supply(turns: int) -> Step:
    """Return the step that closes the loop through the probe."""
    return Step(
        text="The supply's output is off. Connect the ends of the leads to each other where the board was, with "
        f"{turns} turn{'s' if turns > 1 else ''} of the lead through the closed jaw, in the direction of a run.",
        wiring={"load": "short", "jaw": "closed", "turns": turns},
    )


def connect_resistor(resistance_ohm: float, turns: int) -> Step:
    """Return the step that puts a resistor in the board's place."""
    return Step(
        text=f"The supply's output is off. Connect a resistor of {resistance_ohm:g} ohm where the board was, with "
        f"{turns} turn{'s' if turns > 1 else ''} of the lead through the closed jaw. It will get hot.",
        wiring={"load": {"resistor_ohm": resistance_ohm}, "jaw": "closed", "turns": turns},
    )


def open_jaw() -> Step:
    """Return the step that takes the lead out of the jaw."""
    return Step(
        text="Open the probe's jaw, take the lead out, and close the jaw again, in the place and orientation of a run.",
        wiring={"jaw": "open"},
    )


def close_jaw() -> Step:
    """Return the step that puts the lead back."""
    return Step(text="Put the lead back into the jaw, with the turns it had.", wiring={"jaw": "closed"})


def probe_voltage_at_board() -> Step:
    """Return the step that moves the voltage probe to the far end of the leads."""
    return Step(
        text="Clip the voltage probe to the ends of the leads at the board's side: tip to plus, ground to minus.",
        wiring={"tap": "board"},
    )


def run_batches(pulses: tuple[tuple[float, float], ...]) -> Step:
    """Return the step that makes the board work."""
    return Step(
        text="Have the board run batches of 2 to 50 ms with gaps of at least 1 ms and its marker wired; the record "
        "starts at the first.",
        pulses=pulses,
    )
