"""Configuration: the one typed tree of everything that can be set, from a TOML file and the environment."""

import os
import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from daemon.errors import ConfigurationError
from daemon.sections.application import BenchSection, MqttSection, QualitySection, RunsSection
from daemon.sections.log import LogSection
from daemon.sections.oscilloscope import SENSITIVITY_V_PER_DIV, OscilloscopeSection, is_reachable
from daemon.sections.power_supply import LeadsSection, PowerSupplySection
from daemon.sections.probe import ProbeSection
from daemon.sections.retention import RetentionSection
from daemon.sections.safety import SafetySection
from daemon.sections.section import Section
from daemon.sections.storage import CalibrationSection, StorageSection
from daemon.sections.watchdog import WatchdogSection
from daemon.sections.web import HttpSection
from instruments.errors import SettingRefused

ENVIRONMENT_PREFIX = "JOULEBENCH_"


class Configuration(BaseSettings):
    """Everything that can be set. A variable `JOULEBENCH_MQTT__HOST` goes before `host` in `[mqtt]` of the file."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    bench: BenchSection
    """The bench as the outside knows it."""
    mqtt: MqttSection = MqttSection()
    """The broker."""
    oscilloscope: OscilloscopeSection
    """The oscilloscope."""
    probe: ProbeSection = ProbeSection()
    """The current probe."""
    power_supply: PowerSupplySection
    """The supply."""
    leads: LeadsSection = LeadsSection()
    """The leads from supply to board."""
    runs: RunsSection = RunsSection()
    """What may be run."""
    quality: QualitySection = QualitySection()
    """Thresholds of the quality verdict."""
    storage: StorageSection
    """Where captures and results are kept."""
    retention: RetentionSection = RetentionSection()
    """How long raw captures are kept."""
    calibration: CalibrationSection
    """The certificates."""
    safety: SafetySection = SafetySection()
    """What protects the board."""
    http: HttpSection = HttpSection()
    """Health, metrics and control, over HTTP."""
    log: LogSection = LogSection()
    """The daemon's log."""
    watchdog: WatchdogSection = WatchdogSection()
    """When the daemon counts as stuck."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the base class's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment before what the file says (which arrives as arguments)."""
        return env_settings, init_settings

    @property
    def mqtt_client_id(self) -> str:
        """Identity towards the broker."""
        return self.mqtt.client_id or f"joulebench-{self.bench.name}"

    def resolved(self, folder: Path) -> Self:
        """Return a copy whose relative paths start at a folder."""
        sections = [(name, value) for name, value in self if isinstance(value, Section)]
        return self.model_copy(update={name: section.resolved(folder) for name, section in sections})

    @model_validator(mode="after")
    def _current_scale_is_reachable(self) -> Self:
        scale_a = self.oscilloscope.current_scale_a_per_div
        scale_v = scale_a / self.probe.ratio_a_per_v
        if not is_reachable(scale_v):
            raise ValueError(
                f"oscilloscope.current_scale_a_per_div = {scale_a} is {scale_v:g} V/div through this probe, "
                f"outside the oscilloscope's {SENSITIVITY_V_PER_DIV}: change it, probe.range_v_per_a or probe.turns"
            )
        return self


class OwnConfiguration(Configuration):
    """The configuration of a bench that a program makes for itself: the environment speaks of the lab's, not of this.

    Without this a variable that names the lab's supply would have a verification on virtual benches drive that supply.
    """

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the base class's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given, and nothing else."""
        return (init_settings,)


def load_configuration(path: Path, *, kind: type[Configuration] = Configuration) -> Configuration:
    """Read a TOML file and the environment into one configuration; relative paths start at the file's folder.

    Args:
        path: the file.
        kind: `OwnConfiguration` leaves the environment out.

    Raises:
        ConfigurationError: the file cannot be read, or does not describe a bench; lists every problem.
    """
    path = path.absolute()
    document = _read_toml(path)
    try:
        return kind(**document).resolved(path.parent)
    except ValidationError as error:
        raise ConfigurationError(path, [_problem(details) for details in error.errors()]) from error
    except SettingRefused as error:
        raise ConfigurationError(path, [str(error)]) from error
    except SettingsError as error:
        raise ConfigurationError(path, [f"environment: {error}"]) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(path, [f"the file cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(path, [f"the file is not UTF-8 at byte {error.start}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(path, [f"the file is not TOML: {error}"]) from error


def _problem(details: ErrorDetails) -> str:
    location = details["loc"]
    key = ".".join(str(part) for part in location)
    variable = _variable_behind(location)
    origin = f" (from environment variable {variable})" if variable else ""
    return f"{key + ': ' if key else ''}{_sentence(details)}{origin}"


def _sentence(details: ErrorDetails) -> str:
    match details["type"]:
        case "extra_forbidden" if details["loc"][0] == "metrics":
            return "metrics are served with health and control now: name this section [http], its keys stay as they are"
        case "extra_forbidden":
            return "no such key; remove it or correct its spelling"
        case "missing":
            return "is required but missing"
        case "value_error":
            return details["msg"].removeprefix("Value error, ")
        case _:
            return f"{details['msg']}, got {details['input']!r}"


def _variable_behind(location: tuple[int | str, ...]) -> str | None:
    """Return the environment variable that set a key or one of its parents; None where the file did."""
    present = {name.upper() for name in os.environ}
    parts = [str(part).upper() for part in location]
    names = [ENVIRONMENT_PREFIX + "__".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in names if name in present), None)
