import math

import pytest

from instruments.deadline import check_deadline
from instruments.errors import SettingRefused


@pytest.mark.parametrize("deadline_s", [0.0, 0.02, 3600.0])
def test_a_time_is_taken(deadline_s: float) -> None:
    check_deadline(deadline_s, instrument="oscilloscope", operation="arm")


@pytest.mark.parametrize("deadline_s", [-1e-9, 3600.1, math.nan, math.inf])
def test_what_never_comes_is_refused(deadline_s: float) -> None:
    with pytest.raises(SettingRefused, match=r"arm: deadline_s must be 0\.\.3600 s, got"):
        check_deadline(deadline_s, instrument="oscilloscope", operation="arm")
