"""Secrets stay where they are: planted ones are in nothing that daemon, agent and verbs write, at the highest level."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker_credentials import BrokerCredentials
from tests.shipped_broker import ShippedBroker
from tests.system.lab_processes import LabProcesses, lab_of

pytestmark = [pytest.mark.system, pytest.mark.mosquitto]

DAEMON, BOARD = "joulebench-daemon", "jetson"
WRONG = "planted-Wr0ng-s3cret"
NOWHERE = "TCPIP0::127.0.0.1::9::SOCKET"
DEBUG = ("--log-level", "debug")


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShippedBroker]:
    credentials = BrokerCredentials(tmp_path_factory.mktemp("credentials"))
    for name in (DAEMON, BOARD):
        credentials.password(name)
    broker = ShippedBroker(tmp_path_factory.mktemp("broker"), credentials)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def lab(broker: ShippedBroker, tmp_path: Path) -> Iterator[LabProcesses]:
    with lab_of(broker, tmp_path) as lab:
        lab.ready = {"oscilloscope": NOWHERE, "power_supply": NOWHERE, "gpib_adapter": "", "marker": "none"}
        yield lab


def configuration(lab: LabProcesses, name: str, *lines: str) -> str:
    """Write a configuration whose instruments are nowhere, and whose broker lets in by TLS and password."""
    broker = lab.broker
    assert isinstance(broker, ShippedBroker)
    ca = broker.credentials.server / "ca.crt"
    mqtt = [f"port = {broker.ports[8884]}", f'username = "{DAEMON}"', f'ca_file = "{ca}"', *lines]
    text = lab._configuration().replace(f"port = {broker.port}", "\n".join(mqtt)).replace('gpib_adapter = ""\n', "")
    path = lab.folder / name
    path.write_text(text.replace(str(lab.folder / "data"), str(lab.folder / f"data-{name}")))
    return str(path)


def forms(secret: str) -> list[str]:
    """Return a secret as it might be shown."""
    return [secret, secret.replace("/", "%2F"), base64.b64encode(secret.encode()).decode()]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_no_secret_is_written_anywhere(broker: ShippedBroker, lab: LabProcesses, tmp_path: Path) -> None:
    good, own = broker.credentials.password(DAEMON), broker.credentials.password(BOARD)
    file = broker.credentials.folder / "clients" / DAEMON / "password"
    right = configuration(lab, "right.toml", f'password_file = "{file}"')
    wrong = configuration(lab, "wrong.toml")
    environment = {"JOULEBENCH_MQTT_PASSWORD": WRONG}

    daemon = lab.start("daemon", "daemon", "--config", right, *DEBUG)
    refused = lab.start("refused", "daemon", "--config", wrong, *DEBUG, **environment)
    board = ("board", "serve", "--bench", "sys", "--board", BOARD, "--scripted", "0.1,0.1", *DEBUG)
    agent = lab.start("agent", *board, "--broker", broker.tls_password_url(BOARD))
    lost = lab.start("lost", *board, "--broker", f"mqtt://{BOARD}:{WRONG}@127.0.0.1:{broker.ports[1883]}")
    daemon.says("is served")
    agent.says("serves bench")
    refused.says("authori")
    lost.says("authori")
    said = [
        lab.run("check", "--config", right, "--json"),
        lab.run("board", "run", "--broker", f"mqtt://u:{WRONG}@h:x", "--bench", "b", "--board", "b", "--network", "n"),
    ]
    codes = [process.stop() for process in (lost, agent, refused, daemon)]

    assert codes[-1] == 0, daemon.log.read_text()
    keys = broker.credentials.folder.rglob("*.key")
    secrets = [*forms(good), *forms(own), *forms(WRONG), *(path.read_text().splitlines()[1] for path in keys)]
    texts = {path.name: path.read_text() for path in tmp_path.glob("*.log")}
    texts |= {" ".join(done.args): done.stdout + done.stderr for done in said}
    assert all(len(text) > 100 for text in texts.values()), "else this looks at nothing"
    for name, text in texts.items():
        assert not [secret for secret in secrets if secret in text], name
