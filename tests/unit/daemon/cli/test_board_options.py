"""Options of `joulebench board`: what is given several times counts as often."""

import pytest
import typer

from daemon.cli.board import known_methods


@pytest.mark.parametrize(
    ("given", "methods"),
    [
        (None, None),
        ([], None),
        (["clock"], ["clock"]),
        (["clock,step"], ["clock", "step"]),
        (["clock", "step"], ["clock", "step"]),
        (["clock, step", "clock"], ["clock", "step"]),
    ],
)
def test_methods_of_synchronisation(given: list[str] | None, methods: list[str] | None) -> None:
    assert known_methods(given) == methods


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(typer.BadParameter, match="want some of marker,clock,step, got 'wifi'"):
        known_methods(["clock", "wifi"])
