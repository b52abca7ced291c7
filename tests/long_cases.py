"""Cases that show once more what others show: they run in `make test-long` and in the gate."""

from typing import Any

import pytest


def long_cases(*values: Any) -> list[Any]:
    """Return parameters of one argument each, marked `long`."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]
