"""Bench person: the operator of a calibration who is a person in front of a terminal."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from calibration.bench_operator import Step


class BenchPerson:
    """Is told what to do on standard error, and says when it is done."""

    def perform(self, step: "Step") -> None:
        """Show a step and wait for Enter."""
        typer.secho(f"\n  {step.text}", err=True, bold=True)
        typer.prompt("  Press Enter when it is done", default="", show_default=False, err=True)

    def read_number(self, question: str) -> float:
        """Ask for a number until one is given."""
        return float(typer.prompt(f"  {question}", type=float, err=True))
