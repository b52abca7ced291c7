"""Plan: a campaign as its file describes it."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

from runners.campaign.cell import Cell, PlannedRun
from runners.campaign.order import Order, ordered
from runners.errors import CampaignFileError
from runners.messages import IDENTIFIER_PATTERN, MAX_CAPTURES, NETWORK_PATTERN
from runners.networks.catalogue import KNOWN_NETWORKS

ALL_NETWORKS = "all"
"""Instead of names in a sweep: the fourteen, and the campaign's own."""
MAX_RUNS = 9999
"""Most runs of one campaign: their numbers stand in the runs' identifiers."""
LONGEST_LIST = 1000
"""Most entries of one list."""
MOST_CROSS_PROBLEMS = 20
"""So many mistakes that no single key shows are told; a neighbour is looked for to each name that is unknown."""
LONGEST_NAME = 40
"""Longest name: with what follows it, it must fit into a run's identifier."""

_Name = Annotated[str, StringConstraints(pattern=IDENTIFIER_PATTERN, max_length=LONGEST_NAME)]
_Network = Annotated[str, StringConstraints(pattern=NETWORK_PATTERN)]
_Positive = Annotated[float, Field(gt=0)]
_ShortText = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_BatchSize = Annotated[int, Field(ge=1, le=10**6)]


class _Part(BaseModel):
    """One table of the file: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class CoolDown(_Part):
    """Waiting, before a run, until the board draws no more than it did idle at the campaign's begin."""

    enabled: bool = True
    """Whether to wait."""
    tolerance: Annotated[float, Field(gt=0, le=1)] = 0.03
    """How far above the idle power the board may still be, as a fraction of it."""
    idle_power_w: _Positive | None = None
    """Idle power to wait for, in watts; left out: what the board draws when the campaign begins."""
    limit_s: Annotated[float, Field(gt=0, le=86_400)] = 180.0
    """Longest wait before one run, in seconds; then the campaign goes on, and says so."""
    period_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    """Time between two readings of the supply, in seconds."""


class Retries(_Part):
    """What is done about a run that failed for a reason that may pass."""

    attempts: Annotated[int, Field(ge=1, le=99)] = 4
    """How often a run is tried before the campaign goes on without it."""
    first_delay_s: Annotated[float, Field(ge=0, le=3600)] = 1.0
    """Pause before the second attempt, in seconds; each further one is twice as long."""
    longest_delay_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """Longest of these pauses, in seconds."""
    remeasure_invalid: Annotated[int, Field(ge=0, le=99)] = 0
    """How often a run whose result is invalid is measured again; every result is kept."""


class Sweep(_Part):
    """Networks times batch sizes times precisions times back ends."""

    networks: Literal["all"] | Annotated[tuple[_Network, ...], Field(min_length=1, max_length=LONGEST_LIST)]
    """Names of networks, or `"all"`."""
    batch_sizes: Annotated[tuple[_BatchSize, ...], Field(min_length=1, max_length=LONGEST_LIST)] = (1,)
    """Images in one batch."""
    precisions: Annotated[tuple[_ShortText, ...], Field(min_length=1, max_length=LONGEST_LIST)] = ("fp32",)
    """Number formats."""
    backends: Annotated[tuple[_ShortText, ...], Field(max_length=LONGEST_LIST)] = ()
    """What infers, as the board calls it; left out: the board's own choice."""

    def count(self, all_networks: int) -> int:
        """Return how many cells it has, one that it names twice counted twice; makes none of them."""
        names = all_networks if self.networks == ALL_NETWORKS else len(self.networks)
        return names * (len(self.backends) or 1) * len(self.precisions) * len(self.batch_sizes)

    def cells(self, all_networks: tuple[str, ...]) -> Iterator[Cell]:
        """Yield its cells in the order of its lists."""
        names = all_networks if self.networks == ALL_NETWORKS else self.networks
        for network in names:
            for backend in self.backends or (None,):
                for precision in self.precisions:
                    for batch_size in self.batch_sizes:
                        yield Cell(network=network, batch_size=batch_size, precision=precision, backend=backend)


class CampaignPlan(_Part):
    """Everything that a campaign's file says."""

    name: _Name
    """Name; the runs' identifiers begin with it."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    """Seed of the order."""
    order: Order = Order.BLOCKED
    """How runs follow one another: `blocked`, `randomised` or `listed`."""
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    """How often each combination is measured."""
    captures: Annotated[int, Field(ge=1, le=MAX_CAPTURES)] = 1
    """Records of each run."""
    images: Annotated[int, Field(ge=1, le=10**12)] | None = None
    """Images of each run; left out: each runs until its last capture is taken."""
    own_networks: Annotated[tuple[_Network, ...], Field(max_length=LONGEST_LIST)] = ()
    """Networks beyond the fourteen that this board runs under names of its own."""
    cool_down: CoolDown = CoolDown()
    """Waiting for the board to cool down."""
    retries: Retries = Retries()
    """What is done about runs that fail."""
    sweep: Annotated[tuple[Sweep, ...], Field(max_length=LONGEST_LIST)]
    """What is measured: the union of the sweeps, each combination once."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every combination once, in the order in which the file names it first."""
        names = (*KNOWN_NETWORKS, *self.own_networks)
        return tuple(dict.fromkeys(cell for sweep in self.sweep for cell in sweep.cells(names)))

    @property
    def runs(self) -> tuple[PlannedRun, ...]:
        """Every run in the order in which it is measured."""
        return ordered(self.cells, repeats=self.repeats, order=self.order, seed=self.seed)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.sweep:
            raise ValueError("sweep: there is none; write at least one [[sweep]] with networks")
        # Counted before any is made: a short message may describe more than this computer has room for.
        count = sum(sweep.count(len(KNOWN_NETWORKS) + len(self.own_networks)) for sweep in self.sweep)
        if count <= MAX_RUNS:
            count = len(self.cells) * self.repeats
        if count > MAX_RUNS:
            raise ValueError(f"{count} runs are more than the {MAX_RUNS} that a campaign may have: use several files")
        return self


def read_plan(path: Path) -> CampaignPlan:
    """Read a campaign's file.

    Raises:
        CampaignFileError: it cannot be read, or describes no campaign; lists every problem.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CampaignFileError(path, [f"the file cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise CampaignFileError(path, [f"the file is not UTF-8 at byte {error.start}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise CampaignFileError(path, [f"the file is not TOML: {error}"]) from error
    return plan_of(document, source=path)


def plan_of(document: Mapping[str, Any], *, source: object) -> CampaignPlan:
    """Return the plan that a document describes.

    Raises:
        CampaignFileError: it describes none; lists every problem, with the source.
    """
    problems = [*islice(_cross_problems(document), MOST_CROSS_PROBLEMS)]
    try:
        plan = CampaignPlan.model_validate(document)
    except ValidationError as error:
        problems = [*(_problem(details) for details in _telling(error)), *problems]
    if problems:
        raise CampaignFileError(source, problems)
    return plan


def _telling(error: ValidationError) -> list[ErrorDetails]:
    """Leave out what a list of networks is told for not being the word `all`."""
    every = error.errors(include_url=False)
    telling = [details for details in every if details["type"] != "literal_error"]
    return telling or every


def _problem(details: ErrorDetails) -> str:
    place = ""
    for part in details["loc"]:
        if isinstance(part, int):
            place += f"[{part + 1}]"  # people count from one
        elif "[" not in part:  # not pydantic's name of a member of a union
            place += f".{part}" if place else part
    match details["type"]:
        case "extra_forbidden":
            return f"{place}: no such key; remove it or correct its spelling"
        case "missing":
            return f"{place}: is required but missing"
        case "tuple_type" if place.endswith(".networks"):
            return f'{place}: want "{ALL_NETWORKS}" or a list of names, got {details["input"]!r}'
        case "value_error":
            return (f"{place}: " if place else "") + details["msg"].removeprefix("Value error, ")
        case _:
            return f"{place}: {details['msg']}, got {details['input']!r}"


def _cross_problems(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what no single key shows; looked for in the raw document, so that it is told beside any other mistake."""
    known = (*KNOWN_NETWORKS, *_strings(document.get("own_networks")))
    images = document.get("images")
    for place, sweep in _sweeps(document):
        for name in _strings(sweep.get("networks")):
            if name not in known:
                yield f"{place}.networks: {_unknown(name, known)}"
        for size in sweep.get("batch_sizes", [1]) if isinstance(sweep.get("batch_sizes", [1]), list) else []:
            if isinstance(size, int) and isinstance(images, int) and size > 0 and images > 0 and images % size:
                yield f"images: {images} is not a whole number of batches of {size}, which {place}.batch_sizes asks for"


def _sweeps(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    sweeps = document.get("sweep")
    if isinstance(sweeps, list):
        for number, sweep in enumerate(sweeps, start=1):
            if isinstance(sweep, dict):
                yield f"sweep[{number}]", sweep


def _strings(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _unknown(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "a network of the board's own must stand in own_networks too"
    return f"{name!r} is no network of {', '.join(KNOWN_NETWORKS)}; {hint}"
