"""deploy/mosquitto: what the scripts make is readable by its owner alone, and what they refuse leaves all as it was."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.broker_credentials import DEPLOY, BrokerCredentials, run_script


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> BrokerCredentials:
    credentials = BrokerCredentials(tmp_path_factory.mktemp("credentials"))
    credentials.client("board")
    credentials.password("board")
    return credentials


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_that_is_made_can_be_read_by_others(credentials: BrokerCredentials) -> None:
    made = [path for path in credentials.folder.rglob("*") if path.is_file()]
    assert len(made) > 10
    assert not [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("make-certificates", "authority"), "exists"),
        (("make-certificates", "client", "board"), "has a certificate; revoke it first"),
        (("make-certificates", "client", "../board"), "a name has 1 to 64"),
        (("make-certificates", "client", "a/CN=joulebench-daemon"), "a name has 1 to 64"),
        (("make-certificates", "revoke", "nobody"), "has no certificate"),
        (("make-certificates", "server", "lab pc"), "want a host's name"),
        (("make-certificates", "server"), "make-certificates FOLDER server"),
        (("make-certificates", "burn"), "make-certificates FOLDER"),
        (("make-password", "add", "a:b"), "a name has 1 to 64"),
        (("make-password", "add", "a/b"), "a name has 1 to 64"),
        (("make-password", "remove", "nobody"), "is not in"),
        (("make-password", "remove"), "make-password FOLDER"),
    ],
)
def test_what_is_refused_leaves_all_as_it_was(
    credentials: BrokerCredentials, words: tuple[str, ...], says: str
) -> None:
    before = content(credentials.folder)
    script, *rest = words
    done = subprocess.run(
        [DEPLOY / script, str(credentials.folder), *rest], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert says in done.stderr
    assert content(credentials.folder) == before


def test_one_password_is_exchanged_and_the_others_stay(tmp_path: Path) -> None:
    def add(name: str) -> None:
        run_script("make-password", str(tmp_path), "add", name)

    def hashes() -> dict[str, str]:
        return dict(line.split(":", 1) for line in (tmp_path / "passwords").read_text().splitlines())

    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("apt install mosquitto")
    add("board")
    add("board-2")
    first = hashes()
    add("board")
    assert hashes().keys() == {"board", "board-2"}
    assert hashes()["board-2"] == first["board-2"]
    assert hashes()["board"] != first["board"]
    run_script("make-password", str(tmp_path), "remove", "board")
    assert hashes() == {"board-2": first["board-2"]}
    assert (tmp_path / "clients" / "board-2" / "password").read_text().strip() not in (
        tmp_path / "passwords"
    ).read_text()
