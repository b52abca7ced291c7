"""Resource list: what VISA finds by itself, and what it lacks to find more."""

import importlib.util
import warnings
from dataclasses import dataclass

import pyvisa

from instruments.visa_library import resource_manager

_NEEDED = {
    "usb": "USB instruments are not listed: `pip install pyusb`, and libusb from the system's packages",
    "serial": "serial lines are not listed: `pip install pyserial`",
    "gpib": "GPIB boards of this computer are not listed: install linux-gpib (a Prologix-style adapter needs none)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceList:
    """What was found without being told where."""

    resources: tuple[str, ...]
    """VISA resource names."""
    lacking: tuple[str, ...]
    """What was not looked for, each with what to install for it."""


def list_resources() -> ResourceList:
    """List the USB, GPIB and serial resources, and ask the local network for VXI-11 instruments; takes about 1 s."""
    lacking = [text for module, text in _NEEDED.items() if importlib.util.find_spec(module) is None]
    resources: tuple[str, ...] = ()
    with warnings.catch_warnings():
        # It warns of each package it would like, and of the sockets that it leaves to the collector.
        warnings.simplefilter("ignore")
        try:
            resources = tuple(resource_manager().list_resources("?*"))
        except (OSError, ValueError, pyvisa.errors.Error) as error:  # such as pyusb without a libusb
            lacking.append(f"nothing is listed ({error}); give addresses")
    return ResourceList(resources=resources, lacking=tuple(lacking))
