"""Section `http`: what the daemon serves over HTTP."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from daemon.errors import ConfigurationError
from daemon.sections.section import Section
from daemon.web.bearer_token import Token
from runners.secret_file import read_secret

TOKEN_VARIABLE = "JOULEBENCH_HTTP_TOKEN"  # noqa: S105 - its name, not the token
"""Variable of the environment with the token; one underscore, since no key of the file may hold it."""


class HttpSection(Section):
    """The page, health, metrics and control, over HTTP."""

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """TCP port of the page, `/healthz`, `/readyz`, `/metrics` and control; left out: nothing listens."""
    host: Annotated[str, StringConstraints(min_length=1)] = "127.0.0.1"
    """Address that it listens on; any but the loopback lets others on the network read the bench's state."""
    names: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,253}$")], ...] = ()
    """Names by which this computer may be asked, beside `localhost` and its addresses; others are refused."""
    token_file: Path | None = None
    """File whose first line is the token that control asks for; refused where every user of the computer can read it.
    Left out: the variable `JOULEBENCH_HTTP_TOKEN`, if it is set; without either there is no control over HTTP."""

    campaigns: Path | None = None
    """Folder with the journals of campaigns (`campaign run --state`), whose progress the page shows; left out: none."""

    def token(self) -> Token | None:
        """Return the token, from its file or the environment; None where there is neither.

        Raises:
            ConfigurationError: the file cannot be read, or can be by everybody, or what is there is no token.
        """
        if self.token_file is None:
            text = os.environ.get(TOKEN_VARIABLE)
            return None if text is None else _token(text, Path(TOKEN_VARIABLE))
        try:
            return _token(read_secret(self.token_file), self.token_file)
        except OSError as error:
            raise ConfigurationError(self.token_file, [f"http.token_file cannot be read: {error}"]) from error


def _token(text: str, origin: Path) -> Token:
    try:
        return Token(text)
    except ValueError as error:
        raise ConfigurationError(origin, [f"{error}; `openssl rand -hex 32` makes one"]) from error
