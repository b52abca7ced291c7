"""Broker address: where the MQTT broker is, and how to log in."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from runners.broker_tls import BrokerTls
from runners.errors import BrokerUnavailable
from runners.secret_file import read_secret

DEFAULT_PORT = 1883
TLS_PORT = 8883
"""Default port of a broker with TLS."""
PASSWORD_VARIABLE = "JOULEBENCH_BOARD_PASSWORD"  # noqa: S105 - the name of a variable
"""Variable of the environment with the password, where the URL has a user and no password."""
FORM = "mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][?ca=FILE&cert=FILE&key=FILE&password_file=FILE]"
"""How an address is written."""

_TLS_FILES = {"ca": "ca_file", "cert": "cert_file", "key": "key_file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the MQTT broker is, and how to log in."""

    host: str
    """Name or address."""
    port: int = DEFAULT_PORT
    """TCP port."""
    username: str | None = None
    """Name to log in with; None: no log-in."""
    password: str | None = field(default=None, repr=False)
    """Password; None: no log-in. Kept out of logs."""
    tls: BrokerTls | None = None
    """Files of an encrypted connection; None: it is not encrypted."""

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what encrypts one connection; None where none does.

        Raises:
            OSError: a file cannot be used; the text says which, and why.
        """
        return None if self.tls is None else self.tls.context()

    @classmethod
    def from_url(cls, url: str, *, environment: Mapping[str, str] = os.environ) -> "BrokerAddress":
        """Read an address written as `FORM` says, with `mqtts` for TLS, and see that its files can be used.

        A password that everybody can see in the list of processes is none: `password_file`, or the variable
        `JOULEBENCH_BOARD_PASSWORD`, keeps it out of the command.

        Raises:
            BrokerUnavailable: it is no address, or a file of it cannot be used. No text shows the password.
        """
        try:
            return cls._from_parts(urlsplit(url), environment)
        except (ValueError, OSError) as error:
            raise BrokerUnavailable(shown(url), 0, f"{error}; want {FORM}") from None

    @classmethod
    def _from_parts(cls, parts: SplitResult, environment: Mapping[str, str]) -> "BrokerAddress":
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path.strip("/"):
            raise ValueError("it does not begin with mqtt:// or mqtts://, has no host, or goes on after it")
        options = _options(parts.query, tls=parts.scheme == "mqtts")
        address = cls(
            host=parts.hostname,
            port=_port(parts) or (DEFAULT_PORT if parts.scheme == "mqtt" else TLS_PORT),
            username=None if parts.username is None else unquote(parts.username),
            password=_password(parts, options, environment),
            tls=None if parts.scheme == "mqtt" else _tls(options),
        )
        address.tls_context()
        return address


def shown(url: str) -> str:
    """Return an address for logs and errors: without its password."""
    return re.sub(r"^([a-z]*:?//|)([^/?#:]*):.*@", r"\1\2:***@", url)


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        # Its text may quote what stands where a port should, which may be a password with a slash in it.
        raise ValueError("the port is no number from 0 to 65535; is a / in user or password written as %2F?") from None


def _options(query: str, *, tls: bool) -> dict[str, str]:
    known = {"password_file", *(_TLS_FILES if tls else ())}
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(set(options) - known):
        raise ValueError(f"{', '.join(unknown)} after the ? is none of {', '.join(sorted(known))}")
    return options


def _tls(options: Mapping[str, str]) -> BrokerTls:
    return BrokerTls(**{name: Path(options[key]).expanduser() for key, name in _TLS_FILES.items() if key in options})


def _password(parts: SplitResult, options: Mapping[str, str], environment: Mapping[str, str]) -> str | None:
    if parts.username is None:
        if "password_file" in options:
            raise ValueError("password_file is given without a user: a broker takes a password only with a name")
        return None
    if parts.password is not None:
        return unquote(parts.password)
    if "password_file" in options:
        return read_secret(Path(options["password_file"]).expanduser())
    return environment.get(PASSWORD_VARIABLE)
