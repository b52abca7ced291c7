"""The broker's address, from its URL, and the files that it names."""

from pathlib import Path

import pytest

from runners.broker_address import PASSWORD_VARIABLE, BrokerAddress
from runners.broker_tls import BrokerTls
from runners.errors import BrokerUnavailable
from tests.broker_credentials import BrokerCredentials


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
    with pytest.raises(BrokerUnavailable, match=r"is no address of an MQTT broker: .*want mqtt"):
        BrokerAddress.from_url(url)


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> BrokerCredentials:
    return BrokerCredentials(tmp_path_factory.mktemp("credentials"))


@pytest.mark.parametrize(
    "url",
    ["mqtt://u:hush@", "mqtt://u:hush@h:x", "http://u:hush@h", "mqtt://u:hu/sh@h", "mqtt://u:h@sh@h/x", "u:hush@h"],
)
def test_no_refusal_shows_the_password(url: str) -> None:
    with pytest.raises(BrokerUnavailable) as refused:
        BrokerAddress.from_url(url)
    assert "u" in str(refused.value)
    assert not [secret for secret in ("hush", "hu/sh", "h@sh", "sh@") if secret in str(refused.value)]


def test_the_files_of_an_encrypted_connection(credentials: BrokerCredentials) -> None:
    address = BrokerAddress.from_url(credentials.certificate_url("board", 1234))
    client = credentials.client("board")
    files = BrokerTls(ca_file=client / "ca.crt", cert_file=client / "client.crt", key_file=client / "client.key")
    assert (address.tls, address.port, address.host) == (files, 1234, "127.0.0.1")
    context = address.tls_context()
    assert context is not None
    assert context.check_hostname, "a broker of another name is not the broker"
    assert len(context.get_ca_certs()) == 1, "who believes our authority believes no other"


def test_encrypted_without_files_believes_the_computers_authorities() -> None:
    address = BrokerAddress.from_url("mqtts://lab.local")
    assert (address.tls, address.port) == (BrokerTls(), 8883)


def test_the_password_from_its_file_or_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from file\n")
    path.chmod(0o600)
    environment = {PASSWORD_VARIABLE: "from environment"}
    urls = (f"mqtt://u@h?password_file={path}", "mqtt://u@h", "mqtt://u:here@h", "mqtt://h")
    found = [BrokerAddress.from_url(url, environment=environment).password for url in urls]
    assert found == ["from file", "from environment", "here", None]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mqtts://h?cert={client}/client.crt", "without its key"),
        ("mqtts://h?key={client}/client.key", "without its certificate"),
        ("mqtts://h?ca={client}/absent", "absent cannot be used: a file is not there"),
        ("mqtts://h?ca={client}/client.key", "client.key cannot be used"),
        ("mqtts://h?cert={client}/client.crt&key={other}/client.key", "belonging together"),
        (
            "mqtts://h?certificate={client}/client.crt",
            "certificate after the ? is none of ca, cert, key, password_file",
        ),
        ("mqtt://h?ca={client}/ca.crt", "ca after the ? is none of password_file"),
        ("mqtt://u@h?password_file={client}/absent", "No such file"),
        ("mqtt://h?password_file={client}/absent", "without a user"),
    ],
)
def test_files_that_cannot_be_used_are_refused_at_once(credentials: BrokerCredentials, url: str, words: str) -> None:
    with pytest.raises(BrokerUnavailable) as refused:
        BrokerAddress.from_url(url.format(client=credentials.client("board"), other=credentials.client("other")))
    assert words in str(refused.value)


def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked(
    credentials: BrokerCredentials, tmp_path: Path
) -> None:
    key = credentials.locked_key(tmp_path / "locked.key", "board")
    certificate = credentials.client("board") / "client.crt"
    with pytest.raises(BrokerUnavailable, match="without a pass phrase"):
        BrokerAddress.from_url(f"mqtts://h?cert={certificate}&key={key}")


@pytest.mark.parametrize("kind", ["password", "key"])
def test_a_secret_that_everybody_can_read_is_refused(credentials: BrokerCredentials, tmp_path: Path, kind: str) -> None:
    client, secret = credentials.client("board"), tmp_path / "secret"
    secret.write_bytes((client / "client.key").read_bytes())
    secret.chmod(0o644)
    ways = {"password": f"mqtt://u@h?password_file={secret}", "key": f"mqtts://h?cert={client}/client.crt&key={secret}"}
    with pytest.raises(BrokerUnavailable, match=r"open to every user of this computer \(mode 0644\).*chmod o-rwx"):
        BrokerAddress.from_url(ways[kind])
    secret.chmod(0o640)
    BrokerAddress.from_url(ways[kind])
