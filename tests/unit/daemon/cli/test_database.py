import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from daemon.cli.database import app
from daemon.database import engine_on
from daemon.errors import StoreError
from daemon.schema import NEWEST, REVISIONS, pending, revision_text
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from tests.postgresql import GUARDED, PASSWORD, PostgresqlServer, database_of
from tests.unit.daemon.old_databases import restore
from tests.unit.daemon.test_configuration import written


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def document(*arguments: object, exit_code: int = 0) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == exit_code, (result.output, result.exception)
    return dict(json.loads(result.stdout))


@pytest.fixture
def old_directory(tmp_path: Path) -> Path:
    restore(3, sqlite_url(tmp_path), None)
    return tmp_path


def test_status_tells_what_an_upgrade_would_bring_and_does_nothing(old_directory: Path) -> None:
    for _ in range(2):
        told = document("status", "--directory", old_directory, exit_code=1)

        steps = [{"revision": one, "text": revision_text(one)} for one in pending("0003")]
        assert all(step["text"] for step in steps)
        wanted = {"state": "older", "revision": "0003", "newest": NEWEST, "pending": steps}
        assert told == {"url": sqlite_url(old_directory)} | wanted


def test_status_is_a_table_for_people(old_directory: Path) -> None:
    result = call("status", "--directory", old_directory)

    assert result.exit_code == 1
    assert f"of revision 0003, and this joulebench works with {NEWEST}: `joulebench database upgrade`" in result.stdout
    assert revision_text("0005") in result.stdout


def test_upgrade_keeps_a_copy_and_says_so_and_the_second_finds_nothing_to_do(old_directory: Path) -> None:
    told = document("upgrade", "--directory", old_directory)

    assert (told["before"], told["after"], told["applied"]) == ("0003", NEWEST, list(pending("0003")))
    assert Path(told["copy"]).exists()
    with Store(sqlite_url(old_directory), create=False) as store:
        assert store.run_count() == 3
    assert document("status", "--directory", old_directory)["state"] == "current"
    again = document("upgrade", "--directory", old_directory)
    assert (again["before"], again["applied"], again["copy"]) == (NEWEST, [], None)
    assert "already" in call("upgrade", "--directory", old_directory).stdout


def test_upgrade_without_a_copy_leaves_one_file(old_directory: Path) -> None:
    result = call("upgrade", "--directory", old_directory, "--no-copy")

    assert result.exit_code == 0
    assert f"tables of revision 0003 brought to {NEWEST}" in result.stdout
    assert [one.name for one in old_directory.glob("*.sqlite")] == ["joulebench.sqlite"]


@pytest.mark.parametrize("verb", ["status", "upgrade"])
def test_a_database_that_is_not_there_is_not_made(tmp_path: Path, verb: str) -> None:
    result = call(verb, "--directory", tmp_path)

    assert isinstance(result.exception, StoreError)
    assert "there is no database" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_what_newer_software_wrote_is_told_apart(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    Store(url).close()
    engine = engine_on(url, create=False)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    engine.dispose()

    told = document("status", "--directory", tmp_path, exit_code=1)
    assert (told["state"], told["revision"], told["pending"]) == ("unknown", "0999", [])
    assert "does not know: use the one that wrote them" in call("status", "--directory", tmp_path).stdout


def test_a_servers_database_is_upgraded_by_the_password_in_a_file_which_is_never_shown(
    tmp_path: Path, postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    restore(2, postgresql_url, postgresql_server)
    postgresql_server.add_guarded_user()
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    url = postgresql_server.url(database_of(postgresql_url), user=GUARDED)
    lines = f'directory = "data"\ndatabase_url = "{url}"\ndatabase_password_file = "password"'
    config = written(tmp_path, ('directory = "data"', lines))

    before = document("status", "--config", config, exit_code=1)
    told = document("upgrade", "--config", config)
    after = call("status", "--config", config)

    assert (before["revision"], told["applied"], told["copy"]) == ("0002", list(REVISIONS[1:]), None)
    assert "which this joulebench works with" in after.stdout
    assert GUARDED in told["url"]
    for shown in (json.dumps(before), json.dumps(told), after.output):
        assert PASSWORD not in shown
        assert PASSWORD.replace("@", "%40") not in shown
