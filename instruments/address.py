"""Address: what a person writes for an instrument's place, and the VISA resource names that it may mean."""

import pyvisa

from instruments.errors import ConnectionFailed

SCPI_PORT = 5025
"""Raw SCPI socket of the oscilloscope (reference 1.1)."""
TELNET_PORT = 5024
"""Its telnet service: sends a prompt and spoils binary data."""
ADAPTER_PORT = 1234
"""Port of a Prologix-style adapter."""


def address_to_resources(text: str) -> tuple[str, ...]:
    """Return what may be found at `HOST`, at `HOST:PORT`, or by a whole VISA resource name, which is itself.

    Raises:
        ConnectionFailed: it is none of these, or the port is one that no instrument should be read from.
    """
    if "::" in text:
        return (_checked(text),)
    host, port = _split(text)
    if port is None:
        return (
            f"TCPIP0::{host}::{SCPI_PORT}::SOCKET",
            f"TCPIP0::{host}::inst0::INSTR",
            f"PRLGX-TCPIP0::{host}::{ADAPTER_PORT}::INTFC",
        )
    if port == ADAPTER_PORT:
        return (adapter_to_resource(text),)
    if port == TELNET_PORT:
        raise _wrong(text, f"port {TELNET_PORT} is for people: its prompt spoils measured data; give {SCPI_PORT}")
    return (f"TCPIP0::{host}::{port}::SOCKET",)


def adapter_to_resource(text: str) -> str:
    """Return the VISA resource name of an adapter at `HOST`, at `HOST:PORT`, or by its own name.

    Raises:
        ConnectionFailed: it is none of these.
    """
    if "::" in text:
        if not is_adapter(text):
            raise _wrong(text, "an adapter's name looks like PRLGX-TCPIP0::192.168.1.21::1234::INTFC")
        return _checked(text)
    host, port = _split(text)
    return f"PRLGX-TCPIP0::{host}::{port or ADAPTER_PORT}::INTFC"


def is_adapter(resource: str) -> bool:
    """Tell whether a VISA resource name is that of a Prologix-style adapter."""
    return resource.upper().startswith("PRLGX-")


def is_serial(resource: str) -> bool:
    """Tell whether a VISA resource name is that of a serial line, an adapter's at its end or not."""
    return resource.upper().startswith(("ASRL", "PRLGX-ASRL"))


def text_to_port(text: str) -> int | None:
    """Return a TCP port, None where the text is none."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
    return number if 1 <= number <= 65535 else None


def _split(text: str) -> tuple[str, int | None]:
    host, colon, port = text.partition(":")
    if not host or any(character.isspace() for character in text):
        raise _wrong(text, "give HOST, HOST:PORT or a VISA resource name")
    if not colon:
        return host, None
    number = text_to_port(port)
    if number is None:
        raise _wrong(text, f"a port is a number 1..65535, got {port!r}")
    return host, number


def _checked(resource: str) -> str:
    try:
        pyvisa.rname.parse_resource_name(resource)
    except (ValueError, pyvisa.rname.InvalidResourceName) as error:
        raise _wrong(resource, f"is no VISA resource name ({error})") from error
    return resource


def _wrong(text: str, problem: str) -> ConnectionFailed:
    return ConnectionFailed(f"{text!r}: {problem}", instrument="instrument", operation="address")
