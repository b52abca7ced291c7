"""What is counted of a network: layer by layer, and in total."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCounts:
    """The size of one layer, for one pass of its network."""

    name: str
    """Path within the network, as its parameters are named; empty for the network itself."""
    kind: str
    """Class of the layer."""
    calls: int
    """How often the pass calls it; 0: never, though it has parameters."""
    output_shape: tuple[int, ...]
    """Shape of what it returned last; empty where it was never called, or returned no single tensor."""
    params: int
    """Trainable parameters of its own; one that two layers share counts for the first."""
    macs: int
    """Multiply-accumulates."""
    ops_paper: int
    """Operations as the paper counts them."""

    @property
    def ops(self) -> int:
        """Operations: a multiply-accumulate is two."""
        return 2 * self.macs


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOperator:
    """An operator that has no counting rule: what it costs is in no total."""

    layer: str
    """Path of the layer that called it; empty for the network itself."""
    kind: str
    """Class of that layer."""
    operator: str
    """Name under which torch dispatches it."""
    calls: int
    """How often."""

    def __str__(self) -> str:
        return f"{self.operator} in {self.layer or 'the network itself'} ({self.kind})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCounts:
    """The size of a network."""

    layers: tuple[LayerCounts, ...]
    """Layers that compute or have parameters, in the order in which they are called first; then those never called."""
    unknown: tuple[UnknownOperator, ...] = ()
    """What could not be counted; the totals hold only where there is none."""

    @property
    def params(self) -> int:
        """Trainable parameters; one that is used twice counts once."""
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one pass; a layer that is used twice counts twice."""
        return sum(layer.macs for layer in self.layers)

    @property
    def ops(self) -> int:
        """Operations for one pass: a multiply-accumulate is two."""
        return 2 * self.macs

    @property
    def ops_paper(self) -> int:
        """Operations for one pass, as the paper counts them."""
        return sum(layer.ops_paper for layer in self.layers)
