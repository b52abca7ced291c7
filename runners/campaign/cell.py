"""Cell: one combination that a campaign measures, and its place in the campaign's order."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from runners.messages import BoardCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What is varied: each cell is measured as often as the campaign has repeats."""

    network: str
    """Name of the network."""
    batch_size: int
    """Images in one batch."""
    precision: str
    """Number format of the inference."""
    backend: str | None = None
    """What infers; None: the board's own choice."""

    def __str__(self) -> str:
        words = f"{self.network}, batch {self.batch_size}, {self.precision}"
        return words if self.backend is None else f"{words}, {self.backend}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One run of the plan."""

    index: int
    """Place in the order, from 1."""
    cell: Cell
    """What is measured."""
    repeat: int
    """Which repeat of its cell, from 1."""

    def __str__(self) -> str:
        return f"{self.cell}" if self.repeat == 1 else f"{self.cell}, repeat {self.repeat}"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "PlannedRun":
        """Return the run that `document` made these values of; what a later version added has its default."""
        names = [field.name for field in fields(Cell) if field.name in document]
        cell = Cell(**{name: document[name] for name in names})
        return cls(index=document["index"], cell=cell, repeat=document["repeat"])

    def command(self, run_id: str, *, captures: int, images: int | None) -> BoardCommand:
        """Return what the board is told."""
        return BoardCommand(
            run_id=run_id,
            network=self.cell.network,
            batch_size=self.cell.batch_size,
            precision=self.cell.precision,
            backend=self.cell.backend,
            captures=captures,
            images_planned=images,
        )

    def document(self) -> dict[str, Any]:
        """Return it as JSON values, for the journal and for `--json`."""
        cell = self.cell
        return {
            "index": self.index,
            "network": cell.network,
            "batch_size": cell.batch_size,
            "precision": cell.precision,
            "backend": cell.backend,
            "repeat": self.repeat,
        }
