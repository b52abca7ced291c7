"""Every row of the reference's command tables that has a source, on the simulated bench: one case a row."""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.contract.command_table import ROWS, Lab, Row

for name in ("scope_rows", "scope_hardware_rows", "supply_rows"):
    pytest.register_assert_rewrite(f"tests.contract.{name}")
    importlib.import_module(f"tests.contract.{name}")  # each enters its rows

BOARD = 44
TIME_SCALE = 100.0


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., SimulatedBenchThread]]:
    """Serve a world; the same one whenever it is asked for again, until the last row."""
    served: dict[WorldSettings, SimulatedBenchThread] = {}
    with ExitStack() as stack:

        def find(**settings: object) -> SimulatedBenchThread:
            world = WorldSettings(time_scale=TIME_SCALE, **settings)  # type: ignore[arg-type]
            if world not in served:
                bench = SimulatedBenchThread(world, board_number=BOARD + len(served))
                served[world] = stack.enter_context(bench)
            return served[world]

        yield find


@pytest.fixture
def lab(serve: Callable[..., SimulatedBenchThread]) -> Iterator[Lab]:
    with ExitStack() as stack:
        yield Lab(stack, serve)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_instruments_behave_as_the_row_says(lab: Lab, row: Row) -> None:
    row.shows(lab)


def test_no_row_is_entered_twice() -> None:
    assert [name for name, count in Counter(map(str, ROWS)).items() if count > 1] == []
