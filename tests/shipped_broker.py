"""A real mosquitto with the configuration that is shipped: its ports and paths exchanged, and nothing else."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.broker_credentials import DEPLOY, BrokerCredentials
from tests.mosquitto import MosquittoBroker, free_port

PLACE = "/etc/mosquitto/joulebench/"
"""Where the shipped configuration has its files."""


class ShippedBroker(MosquittoBroker):
    """The broker of a laboratory, as docs/how-to/secure-the-broker.md sets it up."""

    def __init__(self, folder: Path, credentials: BrokerCredentials, *, files: tuple[str, ...] = ("", "-tls")) -> None:
        self.credentials = credentials
        self.ports = {1883: free_port(), 8883: free_port(), 8884: free_port()}
        self._files = files
        self._place = folder / "joulebench"
        self._place.mkdir()
        super().__init__(folder)
        self.port = self.ports[1883]

    def install(self) -> None:
        """Bring the broker what the scripts have made by now; it reads some of it when told, all when restarted."""
        made = [*self.credentials.server.iterdir(), self.credentials.passwords, DEPLOY / "acl"]
        for path in filter(Path.exists, made):
            shutil.copy(path, self._place)

    def start(self) -> None:
        self.install()
        super().start()

    def password_url(self, name: str) -> str:
        """Return the address of the loopback, where a name and a password let in."""
        return f"mqtt://{name}:{self.credentials.password(name).replace('/', '%2F')}@{self.host}:{self.ports[1883]}"

    def tls_password_url(self, name: str) -> str:
        """Return the address where they do so behind the broker's certificate."""
        ca = self.credentials.server / "ca.crt"
        return f"{self.password_url(name).replace('mqtt:', 'mqtts:').rpartition(':')[0]}:{self.ports[8884]}?ca={ca}"

    def certificate_url(self, name: str) -> str:
        """Return the address where a certificate lets in."""
        return self.credentials.certificate_url(name, self.ports[8883])

    def _configuration(self, folder: Path) -> str:
        """Return what Debian's own file says, and write what it includes."""
        included = folder / "conf.d"
        included.mkdir()
        for name in (f"joulebench{one}.conf" for one in self._files):
            (included / name).write_text(exchanged((DEPLOY / name).read_text(), f"{self._place}/", self.ports))
        lines = ["persistence true", f"persistence_location {folder}/", "log_dest stderr", f"include_dir {included}"]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to a user who may not write in pytest's private folder
        return "\n".join(lines) + "\n"


def exchanged(text: str, place: str, ports: Mapping[int, int]) -> str:
    """Return a configuration with other paths and other ports."""
    assert PLACE in text
    for port, own in ports.items():
        text = text.replace(f"\nlistener {port} 127.0.0.1\n", f"\nlistener {own} 127.0.0.1\n")
    return text.replace(PLACE, place)
