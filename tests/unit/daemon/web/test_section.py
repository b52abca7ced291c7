"""Section `http`: nothing listens unless told to; the token comes from a file or the environment, and is a secret."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from daemon.errors import ConfigurationError
from daemon.sections.web import TOKEN_VARIABLE, HttpSection
from tests.unit.daemon.test_measurement import configuration
from tests.unit.daemon.web.stage import TOKEN


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "http-token"
    path.write_text(f"{TOKEN}\nwhatever else\n")
    path.chmod(0o600)
    return path


def test_nothing_listens_by_default_and_then_on_the_loopback_alone() -> None:
    section = HttpSection()
    assert (section.port, section.host, section.names, section.token()) == (None, "127.0.0.1", (), None)


def test_the_token_is_the_files_first_line(file: Path) -> None:
    token = HttpSection(token_file=file).token()
    assert token is not None
    assert token.matches(TOKEN)


def test_the_environment_may_hold_it_where_no_file_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "another-token-of-the-environment")
    alone, named = HttpSection().token(), HttpSection(token_file=file).token()
    assert alone is not None
    assert alone.matches("another-token-of-the-environment")
    assert named is not None
    assert named.matches(TOKEN)


@pytest.mark.parametrize("text", ["short", "", "\n", "two words of some length"])
def test_a_file_without_a_token_is_refused_and_not_shown(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        HttpSection(token_file=file).token()
    assert str(file) in str(caught.value)
    assert not text.strip() or text not in str(caught.value).replace(str(file), "")


def test_a_weak_token_in_the_environment_is_refused_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "geheim")
    with pytest.raises(ConfigurationError, match=r"JOULEBENCH_HTTP_TOKEN: .*openssl rand") as caught:
        HttpSection().token()
    assert "geheim" not in str(caught.value)


def test_a_file_that_everybody_can_read_is_refused(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to every user"):
        HttpSection(token_file=file).token()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"http\.token_file cannot be read.*nowhere"):
        HttpSection(token_file=tmp_path / "nowhere").token()


@pytest.mark.parametrize("wrong", [{"port": 0}, {"port": 70000}, {"host": ""}, {"names": ["a b"]}, {"token": TOKEN}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HttpSection(**wrong)


def test_a_file_of_before_is_told_what_its_section_is_called_now(tmp_path: Path) -> None:
    from daemon.configuration import _problem

    sections = configuration(tmp_path).model_dump() | {"metrics": {"port": 9464}}
    with pytest.raises(ValidationError) as caught:
        type(configuration(tmp_path))(**sections)
    (problem,) = [_problem(one) for one in caught.value.errors()]
    assert problem == (
        "metrics: metrics are served with health and control now: name this section [http], its keys stay as they are"
    )
