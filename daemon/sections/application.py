"""Sections of the daemon itself: `bench`, `mqtt`, `runs`, `quality`."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from daemon.errors import ConfigurationError
from daemon.sections.section import Identifier, NotNegative, Positive, Section
from metrology.quality import QualityLimits
from runners.broker_address import BrokerAddress
from runners.broker_tls import BrokerTls
from runners.messages import MAX_CAPTURES
from runners.networks.catalogue import KNOWN_NETWORKS
from runners.secret_file import read_secret

ANY_NETWORK = "*"
"""Entry of `runs.networks` that admits every name."""
PASSWORD_VARIABLE = "JOULEBENCH_MQTT_PASSWORD"  # noqa: S105 - the name of a variable
"""Variable of the environment with the broker's password; one underscore, since no key of the file may hold it."""


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
    """File whose first line is the password, so that the configuration itself holds no secret; refused where every user
    of the computer can read it. Left out: the variable `JOULEBENCH_MQTT_PASSWORD`, if it is set."""
    ca_file: Path | None = None
    """Certificate of the authority that signed the broker's (PEM); with it the connection is encrypted (TLS), and the
    port is mostly 8883. Left out: it is not."""
    cert_file: Path | None = None
    """Our own certificate (PEM), where the broker asks for one."""
    key_file: Path | None = None
    """Its private key (PEM), without a pass phrase; refused where every user of the computer can read it."""
    client_id: Identifier | None = None
    """Identity towards the broker; left out: `joulebench-` and the bench's name."""
    keepalive_s: Annotated[int, Field(ge=1, le=65535)] = 30
    """How soon broker and daemon notice that the other is gone, in seconds."""

    def password(self) -> str | None:
        """Return the password, from its file or the environment; None where there is none, or no name to it.

        Raises:
            ConfigurationError: the file cannot be read, or can be by everybody.
        """
        if self.password_file is None:
            return None if self.username is None else os.environ.get(PASSWORD_VARIABLE)
        try:
            return read_secret(self.password_file)
        except OSError as error:
            raise ConfigurationError(self.password_file, [f"mqtt.password_file cannot be read: {error}"]) from error

    def address(self) -> BrokerAddress:
        """Return where the broker is and how to log in, once every file of it has been read.

        Raises:
            ConfigurationError: a file cannot be used, or holds a secret and can be read by everybody.
        """
        address = BrokerAddress(
            host=self.host,
            port=self.port,
            username=self.username,
            password=self.password(),
            tls=self._tls(),
        )
        try:
            address.tls_context()
        except OSError as error:
            raise ConfigurationError(self.ca_file or Path(), [f"mqtt: {error}"]) from error
        return address

    def _tls(self) -> BrokerTls | None:
        if self.ca_file is None:
            return None
        return BrokerTls(ca_file=self.ca_file, cert_file=self.cert_file, key_file=self.key_file)

    @model_validator(mode="after")
    def _password_needs_username(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file is set but username is not: a broker takes a password only with a name")
        return self

    @model_validator(mode="after")
    def _certificate_is_whole(self) -> Self:
        given = [name for name in ("cert_file", "key_file") if getattr(self, name) is not None]
        if len(given) == 1 or (given and self.ca_file is None):
            raise ValueError(f"{given[0]} is set alone: a certificate needs ca_file, cert_file and key_file")
        return self


class ShutdownChoice(StrEnum):
    """What becomes of the run in hand when the daemon is told to stop."""

    FINISH = "finish"
    """It is brought to its end, within a limit."""
    INTERRUPT = "interrupt"
    """It ends at once, and is announced so; one that is captured is left to the next daemon."""


class RunsSection(Section):
    """What may be run, and how long the daemon waits for a board."""

    networks: tuple[Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9_.-]{1,64})$")], ...] = KNOWN_NETWORKS
    """Networks that a request may name; `"*"` admits every name."""
    trigger_timeout_s: Positive = 60.0
    """Longest wait from armed to the record's completion, in seconds."""
    finished_timeout_s: Positive = 60.0
    """Longest wait from the last capture to the board's `finished`, in seconds."""
    max_captures: Annotated[int, Field(ge=1, le=MAX_CAPTURES)] = 100
    """Most captures that one run may ask for."""
    on_shutdown: ShutdownChoice = ShutdownChoice.FINISH
    """What becomes of the run in hand when the daemon is told to stop: it is brought to its end (`finish`) or given
    back to the board at once (`interrupt`). A second signal interrupts in any case."""
    shutdown_limit_s: NotNegative = 10.0
    """How long a run may take to its end then, in seconds; it is interrupted after it."""

    @property
    def finish_s(self) -> float:
        """How long the run in hand may go on after the daemon was told to stop, in seconds."""
        return self.shutdown_limit_s if self.on_shutdown is ShutdownChoice.FINISH else 0.0

    def admits(self, network: str) -> bool:
        """Return whether a request may name this network."""
        return network in self.networks or ANY_NETWORK in self.networks


class QualitySection(Section):
    """Thresholds of the quality verdict."""

    minimum_rate_hz: Positive = 50e3
    """Lowest sample rate of a valid record, in hertz."""
    rate_tolerance: NotNegative = 1e-4
    """How far below it the rate may lie and still count as that rate, as a fraction."""
    minimum_batches: Annotated[int, Field(ge=1)] = 2
    """Fewer whole batches than this make a result degraded: their repeatability is unknown."""
    drift_limit: Positive = 0.05
    """Largest change of the batches' mean power over the window, as a fraction of their mean."""
    maximum_relative_u95: Positive = 0.5
    """A wider interval than this fraction of the energy makes a result degraded."""
    disagreement_deviations: Positive = 4.0
    """Oscilloscope and supply disagree about the current where every limit at its end and this many standard deviations
    of the random parts do not make up for their difference."""

    def limits(self) -> QualityLimits:
        """Return the thresholds as metrology takes them."""
        return QualityLimits(**self.model_dump())
