"""What the daemon says of a run at its end: the energy, how sure it is, and from what it was computed."""

from typing import Annotated, Literal

from pydantic import Field

from runners.messages.message import (
    Count,
    Identifier,
    Message,
    Nanoseconds,
    NetworkName,
    NotNegative,
    Part,
    PositiveCount,
    ReasonCode,
    ShortText,
    Text,
)
from runners.messages.run_messages import MAX_CAPTURES


class Quantity(Part):
    """A measured quantity with all that GUM 7.2 asks to report; the unit is in the holder's name."""

    value: float
    """Best estimate."""
    standard_uncertainty: NotNegative
    """Combined standard uncertainty, same unit."""
    degrees_of_freedom: NotNegative | None = None
    """Effective degrees of freedom; null where they are infinite."""
    expanded_uncertainty_95: NotNegative
    """Half width of the interval that holds the true value with 95 %, same unit."""


class QualityReason(Part):
    """One thing that keeps a result from being valid."""

    code: ReasonCode
    """Which one; stable, for machines."""
    text: Text
    """What was found, where, and the bound."""


class BudgetTerm(Part):
    """One line of the uncertainty budget."""

    term: ShortText
    """What contributes."""
    quantity: ShortText
    """The input quantity and its unit."""
    standard_uncertainty_j: NotNegative
    """Its contribution to gross energy per image, in joules."""
    share: Annotated[float, Field(ge=0, le=1)]
    """Its part of the combined variance."""
    source: Text
    """Where its size comes from."""
    sign: Literal[-1, 1] = 1
    """Whether the energy rises (1) or falls (-1) with the input."""
    shape: Literal["normal", "rectangular"] = "normal"
    """Distribution of the input."""
    degrees_of_freedom: NotNegative | None = None
    """Degrees of freedom of its size; null where they are infinite."""
    common: Text | None = None
    """Name of the error behind it: results that share the name share the error; null where it is this run's own."""


class RunResult(Message):
    """The energy of one run. A quantity is null where it could not be measured; `reasons` says why."""

    run_id: Identifier
    """Identifier of the run."""
    result_id: Identifier
    """Identifier of this result; a run that is processed again gets another."""
    board: Identifier
    """Board that ran the network."""
    network: NetworkName
    """Name of the network."""
    batch_size: PositiveCount
    """Images in one batch."""
    precision: ShortText
    """Number format of the inference."""
    backend: ShortText | None = None
    """What ran it, as the board said; null where it did not."""
    images: Count
    """Images inferred over the whole run, as the board counted them."""
    batches: Count
    """Batches of the whole run, as the board counted them."""
    captures: Annotated[int, Field(ge=0, le=MAX_CAPTURES)]
    """Captures that the result rests on."""
    gross_energy_per_image_j: Quantity | None = None
    """Energy from the first rising to the last falling edge, gaps included, per image in it, in joules."""
    net_energy_per_image_j: Quantity | None = None
    """Gross energy less idle power times time, per image, in joules."""
    batch_energy_per_image_j: Quantity | None = None
    """Energy inside the batches alone, per image, in joules."""
    mean_power_w: Quantity | None = None
    """Mean power of the measured windows, in watts."""
    idle_power_w: Quantity | None = None
    """Power with the network loaded and the agent waiting, in watts."""
    images_per_s: NotNegative | None = None
    """Images per second within the measured windows, gaps included."""
    image_duration_s: NotNegative | None = None
    """Time per image, in seconds: the inverse of it."""
    sync: ShortText
    """Synchronisation method that was used."""
    quality: Literal["valid", "degraded", "invalid"]
    """How far the result may be trusted."""
    reasons: tuple[QualityReason, ...] = ()
    """Why it is not valid; empty where it is."""
    budget: tuple[BudgetTerm, ...] = ()
    """Terms of the uncertainty of gross energy per image, the largest first."""
    software_version: ShortText
    """Version of joulebench that computed it."""
    capture_ids: tuple[Identifier, ...] = ()
    """Captures that it was computed from."""
    certificate_ids: tuple[Identifier, ...] = ()
    """Calibration certificates that it used."""
    certificate_sha256s: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = ()
    """Checksum of each of them, in the same order."""
    at_utc_ns: Nanoseconds
    """When it was computed, in nanoseconds of UTC."""
