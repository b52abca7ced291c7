"""The broker's address, from its URL."""

import pytest

from runners.broker_address import BrokerAddress
from runners.errors import BrokerUnavailable


def test_host_and_port():
    assert BrokerAddress.from_url("mqtt://lab.local:1884") == BrokerAddress(host="lab.local", port=1884)
    assert BrokerAddress.from_url("mqtt://[::1]").host == "::1"
    assert BrokerAddress.from_url("mqtt://lab.local/").port == 1883


def test_a_log_in_is_unquoted_and_kept_out_of_the_log():
    address = BrokerAddress.from_url("mqtt://b%40rd:se%2Fcret@lab.local")
    assert (address.username, address.password) == ("b@rd", "se/cret")
    assert "cret" not in repr(address)


@pytest.mark.parametrize(
    "url", ["", "lab.local", "http://lab.local", "mqtt://", "mqtt://h:x", "mqtt://h:99999", "mqtt://h/x"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(BrokerUnavailable, match=r"is no address of an MQTT broker: .*want mqtt://"):
        BrokerAddress.from_url(url)
