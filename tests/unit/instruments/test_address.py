"""What a person writes for a place."""

import pytest

from instruments.address import adapter_to_resource, address_to_resources
from instruments.errors import ConnectionFailed


@pytest.mark.parametrize(
    ("text", "resources"),
    [
        (
            "192.168.1.20",
            (
                "TCPIP0::192.168.1.20::5025::SOCKET",
                "TCPIP0::192.168.1.20::inst0::INSTR",
                "PRLGX-TCPIP0::192.168.1.20::1234::INTFC",
            ),
        ),
        ("scope.lab:5555", ("TCPIP0::scope.lab::5555::SOCKET",)),
        ("scope.lab:1234", ("PRLGX-TCPIP0::scope.lab::1234::INTFC",)),
        ("TCPIP0::127.0.0.1,4000::inst0::INSTR", ("TCPIP0::127.0.0.1,4000::inst0::INSTR",)),
        ("USB0::0x0957::0x1796::MY1::0::INSTR", ("USB0::0x0957::0x1796::MY1::0::INSTR",)),
    ],
)
def test_an_address_is_the_resources_that_it_may_mean(text: str, resources: tuple[str, ...]) -> None:
    assert address_to_resources(text) == resources


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        ("10.0.0.1", "PRLGX-TCPIP0::10.0.0.1::1234::INTFC"),
        ("10.0.0.1:4321", "PRLGX-TCPIP0::10.0.0.1::4321::INTFC"),
        ("PRLGX-TCPIP3::h::1234::INTFC", "PRLGX-TCPIP3::h::1234::INTFC"),
    ],
)
def test_an_adapters_address_is_its_resource(text: str, resource: str) -> None:
    assert adapter_to_resource(text) == resource


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("scope:5024", "prompt spoils measured data; give 5025"),
        ("scope:", "a number 1..65535"),
        ("scope:70000", "a number 1..65535, got '70000'"),
        ("scope:" + "9" * 5000, "a number 1..65535"),
        ("scope:²", "a number 1..65535"),
        ("", "give HOST"),
        ("my scope", "give HOST"),
        ("NOPE::1::2", "is no VISA resource name"),
    ],
)
def test_what_is_no_address_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ConnectionFailed, match=complaint):
        address_to_resources(text)


def test_an_instrument_is_no_adapter() -> None:
    with pytest.raises(ConnectionFailed, match="looks like PRLGX-TCPIP0"):
        adapter_to_resource("GPIB0::5::INSTR")
