"""What VISA lists by itself, and what it says where it cannot."""

import importlib.util
import warnings
from collections.abc import Callable

import pytest

from instruments import resource_list
from instruments.resource_list import list_resources


class Manager:
    """A resource manager that lists what it is told to."""

    def __init__(self, listed: Callable[[], tuple[str, ...]]) -> None:
        self._listed = listed

    def list_resources(self, query: str) -> tuple[str, ...]:
        assert query == "?*", "sockets and serial lines too"
        return self._listed()


@pytest.fixture
def managed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], tuple[str, ...]]], None]:
    def manage(listed: Callable[[], tuple[str, ...]]) -> None:
        monkeypatch.setattr(resource_list, "resource_manager", lambda: Manager(listed))

    return manage


def warned() -> tuple[str, ...]:
    warnings.warn("TCPIP::hislip resource discovery requires the zeroconf package", UserWarning, stacklevel=1)
    return ("USB0::1::2::3::INSTR",)


def failing() -> tuple[str, ...]:
    raise ValueError("No backend available")


def test_what_is_listed_comes_without_warnings(managed) -> None:
    managed(warned)
    assert list_resources().resources == ("USB0::1::2::3::INSTR",)


def test_a_listing_that_fails_is_told_and_nothing_is_listed(managed) -> None:
    managed(failing)
    seen = list_resources()
    assert seen.resources == ()
    assert seen.lacking[-1] == "nothing is listed (No backend available); give addresses"


def test_each_missing_package_is_told_with_what_to_install(managed, monkeypatch: pytest.MonkeyPatch) -> None:
    managed(warned)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "usb" else object())
    assert list_resources().lacking == (
        "USB instruments are not listed: `pip install pyusb`, and libusb from the system's packages",
    )
