"""Bench person: the operator of a calibration who is a person in front of a terminal."""

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from calibration.bench_operator import Step


class BenchPerson:
    """Is told what to do on standard error, and says when it is done."""

    def perform(self, step: "Step") -> None:
        """Show a step and wait for Enter.

        Raises:
            NobodyAnswers: standard input is closed.
        """
        typer.secho(f"\n  {step.text}", err=True, bold=True)
        _answer("Press Enter when it is done")

    def read_number(self, question: str) -> float:
        """Ask for a number until one is given.

        Raises:
            NobodyAnswers: standard input is closed.
        """
        while True:
            answer = _answer(question)
            try:
                return float(answer)
            except ValueError:
                typer.echo(f"  a number is wanted, such as 0.512, got {answer!r}", err=True)


def _answer(question: str) -> str:
    """Ask on standard error, where `typer.prompt` would leave a blank on standard output, the document's place."""
    from calibration.errors import NobodyAnswers

    typer.echo(f"  {question}: ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer:
        typer.echo(err=True)
        raise NobodyAnswers(question)
    return answer.strip()
