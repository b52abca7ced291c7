"""Section: what every part of the configuration file has in common."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from runners.messages import IDENTIFIER_PATTERN

Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER_PATTERN)]
"""A name that may stand in an MQTT topic and in a file name."""

Positive = Annotated[float, Field(gt=0)]
"""A finite number greater than zero."""

NotNegative = Annotated[float, Field(ge=0)]
"""A finite number that is zero or greater."""

InstrumentResource = Annotated[str, StringConstraints(pattern=r"^(TCPIP|USB|GPIB|ASRL).*::(INSTR|SOCKET|RAW)$")]
"""VISA resource name of an instrument."""

DriverName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
"""Name of an instrument's driver."""


class Section(BaseModel):
    """One table of the file: frozen, unknown keys refused, no infinities."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    def resolved(self, folder: Path) -> Self:
        """Return a copy whose relative paths start at a folder."""
        return self.model_copy(update=dict(self._absolute_paths(folder)))

    def _absolute_paths(self, folder: Path) -> list[tuple[str, Any]]:
        paths = [(name, value) for name, value in self if isinstance(value, Path)]
        return [(name, (folder / path.expanduser()).resolve()) for name, path in paths]
