"""Evidence: what a campaign saw of one run, and what the daemon kept of it; plain values that go into a journal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

NO_FAULT = "none"
"""Name, among the faults, of runs that none touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueRecord:
    """One acquisition of the world while a run was in hand."""

    pulses: int
    """Batches that lie wholly in it."""
    gross_energy_j: float | None
    """Energy from the first rise to the last fall, in joules; None where there is no whole pulse."""
    held_voltage: bool
    """Whether the supply held its voltage over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResult:
    """One result as it stands in the store."""

    result_id: str
    """Its identifier."""
    quality: str
    """Its verdict."""
    reasons: tuple[str, ...]
    """Why it is not valid."""
    gross_energy_per_image_j: float | None
    """Gross energy per image, in joules."""
    expanded_uncertainty_j: float | None
    """Its expanded uncertainty at 95 %, in joules."""
    batches: int
    """Batches that the result speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """One run as it stands in the store when all is over."""

    state: str
    """Its phase."""
    terminal: bool
    """Whether that is an end."""
    reason: str | None
    """Why it ended so; None where it is done."""
    finished: bool
    """Whether the board's report is kept."""
    capture_indices: tuple[int, ...]
    """Its captures."""
    results: tuple[KeptResult, ...]
    """Its results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRun:
    """One run as the lab saw it, from its command on."""

    run_id: str
    """Identifier."""
    fault: str
    """Fault that touched it; `none`: none did."""
    moment: str
    """When the fault struck, in words."""
    batch_size: int
    """Images in a batch, as it was commanded."""
    batches: int
    """Batches, as they were commanded."""
    acknowledged: bool
    """Whether the daemon ever said of it anything but that it is rejected."""
    told: str | None
    """End that the lab was told, by itself or on asking, as phase and reason; None: it was told none."""
    asked: bool
    """Whether the lab had to ask for it."""
    told_results: tuple[str, ...]
    """Identifiers of the results that were published for it."""
    ended: bool
    """Whether the lab knew in time what became of it: an end, or that the daemon never heard of it."""
    records: tuple[TrueRecord, ...]
    """Acquisitions of the world while it was in hand."""
    duration_s: float
    """From its command until the lab knew its end, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one portion of runs when all of it is over."""

    portion: int
    """Which portion."""
    seed: tuple[int, ...]
    """Seed that its faults were drawn from."""
    seen: tuple[SeenRun, ...]
    """The runs, in order."""
    kept: Mapping[str, KeptRun]
    """What the store holds, by run; runs that it does not know are absent."""
    faults: tuple[str, ...]
    """Faults that struck, in order."""
    torn: tuple[str, ...] = ()
    """Capture files that are not what was written, that are missing, or that were left half written; each why."""
    stuck: tuple[str, ...] = ()
    """What came to no end, beside runs; in words."""
    notes: tuple[str, ...] = field(default=())
    """What else was odd, such as a daemon that ended by itself; in words."""

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Evidence":
        """Return what a document says."""
        return cls(
            portion=document["portion"],
            seed=tuple(document["seed"]),
            seen=tuple(_seen(one) for one in document["seen"]),
            kept={run_id: _kept(one) for run_id, one in document["kept"].items()},
            **{name: tuple(document[name]) for name in ("faults", "torn", "stuck", "notes")},
        )


def _seen(document: Mapping[str, Any]) -> SeenRun:
    records = tuple(TrueRecord(**one) for one in document["records"])
    return SeenRun(**{**document, "records": records, "told_results": tuple(document["told_results"])})


def _kept(document: Mapping[str, Any]) -> KeptRun:
    results = tuple(KeptResult(**{**one, "reasons": tuple(one["reasons"])}) for one in document["results"])
    indices: Sequence[int] = document["capture_indices"]
    return KeptRun(**{**document, "results": results, "capture_indices": tuple(indices)})
