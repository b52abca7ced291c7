"""Certificates and passwords of a test's own, made by the scripts that a laboratory makes its own with."""

import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parent.parent / "deploy" / "mosquitto"
DEADLINE_S = 60.0


class BrokerCredentials:
    """One authority in one folder; clients' certificates and passwords are made when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        for tool in ("openssl", "mosquitto_passwd"):
            if shutil.which(tool) is None:
                pytest.skip(f"{tool} is not installed (apt install openssl mosquitto)")
        self.folder = folder
        self.certificates("authority")
        self.certificates("server", "127.0.0.1", "localhost")

    @property
    def server(self) -> Path:
        """What the broker has of it."""
        return self.folder / "server"

    @property
    def passwords(self) -> Path:
        """What the broker has of the passwords."""
        return self.folder / "passwords"

    def client(self, name: str) -> Path:
        """Return the folder of a client's certificate."""
        folder = self.folder / "clients" / name
        if not (folder / "client.crt").exists():
            self.certificates("client", name)
        return folder

    def password(self, name: str) -> str:
        """Return a user's password."""
        path = self.folder / "clients" / name / "password"
        if not path.exists():
            run_script("make-password", str(self.folder), "add", name)
        return path.read_text().strip()

    def certificate_url(self, name: str, port: int) -> str:
        """Return the address by which a client comes in with its certificate."""
        own = self.client(name)
        return f"mqtts://127.0.0.1:{port}?ca={own}/ca.crt&cert={own}/client.crt&key={own}/client.key"

    def certificates(self, *words: str) -> str:
        """Make or revoke some."""
        return run_script("make-certificates", str(self.folder), *words)

    def locked_key(self, path: Path, name: str) -> Path:
        """Write a client's key anew, behind a pass phrase."""
        key = self.client(name) / "client.key"
        lock = ["openssl", "ec", "-in", str(key), "-out", str(path), "-aes128", "-passout", "pass:open"]
        subprocess.run(lock, check=True, capture_output=True, timeout=DEADLINE_S)
        path.chmod(0o600)
        return path


def run_script(name: str, *words: str, check: bool = True) -> str:
    """Run one of the scripts that are shipped, and return what it says."""
    done = subprocess.run([DEPLOY / name, *words], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    if check:
        assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
