"""Section `http`: what the daemon serves over HTTP."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from daemon.errors import ConfigurationError
from daemon.sections.section import Section
from daemon.web.bearer_token import Token

TOKEN_VARIABLE = "JOULEBENCH_HTTP_TOKEN"  # noqa: S105 - its name, not the token
"""Environment variable that may hold the token itself; it goes before the file."""


class HttpSection(Section):
    """Health, metrics and control, over HTTP."""

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """TCP port of `/healthz`, `/readyz`, `/metrics` and control; left out: nothing listens."""
    host: Annotated[str, StringConstraints(min_length=1)] = "127.0.0.1"
    """Address that it listens on; any but the loopback lets others on the network read the bench's state."""
    names: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,253}$")], ...] = ()
    """Names by which this computer may be asked, beside `localhost` and its addresses; others are refused."""
    token_file: Path | None = None
    """File whose first line is the token that control asks for; left out: there is no control over HTTP."""

    def token(self) -> Token | None:
        """Return the token from the environment or its file; None where there is neither.

        Raises:
            ConfigurationError: the file cannot be read, or what is there is no token.
        """
        if text := os.environ.get(TOKEN_VARIABLE, ""):
            return _token(text, Path(TOKEN_VARIABLE))
        if self.token_file is None:
            return None
        try:
            text = self.token_file.read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(self.token_file, [f"http.token_file cannot be read: {error}"]) from error
        return _token(text, self.token_file)


def _token(text: str, origin: Path) -> Token:
    try:
        return Token(text)
    except ValueError as error:
        raise ConfigurationError(origin, [f"{error}; `openssl rand -hex 32` makes one"]) from error
