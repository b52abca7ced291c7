"""Sections of the daemon itself: `bench`, `mqtt`, `runs`, `quality`, `storage`, `calibration`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from daemon.sections.section import Identifier, NotNegative, Positive, Section

DATABASE_NAME = "joulebench.sqlite"
"""File of the default database, inside the storage directory."""

ANY_NETWORK = "*"
"""Entry of `runs.networks` that admits every name."""

PAPER_NETWORKS = (
    "alexnet", "bn_alexnet", "bn_nin", "enet", "googlenet", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50",
    "resnet101", "resnet152", "inception_v3", "inception_v4",
)  # fmt: skip
"""The fourteen networks that the project compares."""


class BenchSection(Section):
    """The bench as the outside knows it."""

    name: Identifier
    """Name of the bench: the part of every MQTT topic after `joulebench/v1/`."""


class MqttSection(Section):
    """The broker."""

    host: Annotated[str, StringConstraints(min_length=1)] = "127.0.0.1"
    """Name or address of the broker."""
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    """TCP port of the broker."""
    username: str | None = None
    """Name to log in with; left out: no log-in."""
    password_file: Path | None = None
    """File whose first line is the password, so that the configuration itself holds no secret."""
    client_id: Identifier | None = None
    """Identity towards the broker; left out: `joulebench-` and the bench's name."""
    keepalive_s: Annotated[int, Field(ge=1, le=65535)] = 30
    """How soon broker and daemon notice that the other is gone, in seconds."""

    def password(self) -> str | None:
        """Return the password from its file; None where no file is named."""
        if self.password_file is None:
            return None
        return self.password_file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")

    @model_validator(mode="after")
    def _password_needs_username(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file is set but username is not: a broker takes a password only with a name")
        return self


class RunsSection(Section):
    """What may be run, and how long the daemon waits for a board."""

    networks: tuple[Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9_.-]{1,64})$")], ...] = PAPER_NETWORKS
    """Networks that a request may name; `"*"` admits every name."""
    trigger_timeout_s: Positive = 60.0
    """Longest wait from armed to the record's completion, in seconds."""
    finished_timeout_s: Positive = 60.0
    """Longest wait from the last capture to the board's `finished`, in seconds."""
    max_captures: Annotated[int, Field(ge=1, le=1000)] = 100
    """Most captures that one run may ask for."""

    def admits(self, network: str) -> bool:
        """Return whether a request may name this network."""
        return network in self.networks or ANY_NETWORK in self.networks


class QualitySection(Section):
    """Thresholds of the quality verdict."""

    min_sample_rate_hz: Positive = 50_000.0
    """Lowest sample rate of a valid record, in hertz."""
    min_marker_low_s: Positive = 60e-6
    """Shortest time that the marker must be low between batches, in seconds."""
    min_batches: Annotated[int, Field(ge=1)] = 3
    """Fewer whole batches than this in a capture make a result degraded."""
    max_drift_fraction: Positive = 0.05
    """Largest change of mean power from the first to the last third of the batches, as a fraction of it."""
    max_clipped_samples: Annotated[int, Field(ge=0)] = 0
    """More clipped samples than this inside the window make a result invalid."""
    max_baseline_age_s: Positive = 300.0
    """Oldest idle baseline that a later capture may use without being degraded, in seconds."""


class StorageSection(Section):
    """Where captures and results are kept."""

    directory: Path
    """Folder of everything that is kept; made where it is missing."""
    database_url: str | None = None
    """SQLAlchemy URL of the database; left out: SQLite in the folder."""
    min_free_bytes: NotNegative = 1_000_000_000
    """A run is rejected while the folder's disk has less space left than this, in bytes."""

    @property
    def captures_directory(self) -> Path:
        """Folder of the captures' files."""
        return self.directory / "captures"

    @property
    def url(self) -> str:
        """URL of the database in use."""
        return self.database_url or sqlite_url(self.directory)


def sqlite_url(directory: Path) -> str:
    """Return the URL of the default database inside a storage directory."""
    return f"sqlite:///{directory / DATABASE_NAME}"


class MissingCertificate(StrEnum):
    """What a missing or expired calibration certificate does to a run."""

    ACCEPT = "accept"
    """The data sheet's limits are used and the result may be valid."""
    DEGRADE = "degrade"
    """The data sheet's limits are used and the result is degraded."""
    REJECT = "reject"
    """The run is rejected before it starts."""


class CalibrationSection(Section):
    """The certificates."""

    directory: Path
    """Folder of the certificates."""
    missing: MissingCertificate = MissingCertificate.DEGRADE
    """What happens without a certificate that fits: `accept`, `degrade` or `reject`."""
