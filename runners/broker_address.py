"""Broker address: where the MQTT broker is, and how to log in."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from runners.errors import BrokerUnavailable

DEFAULT_PORT = 1883


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

    @classmethod
    def from_url(cls, url: str) -> "BrokerAddress":
        """Read `mqtt://[USER[:PASSWORD]@]HOST[:PORT]`; raise BrokerUnavailable where it is none."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or DEFAULT_PORT
        except ValueError as error:
            raise BrokerUnavailable(url, 0, f"{error}; want mqtt://HOST:PORT") from None
        if parts.scheme != "mqtt" or not host or parts.path.strip("/"):
            raise BrokerUnavailable(url, 0, "want mqtt://HOST:PORT, with USER:PASSWORD@ before the host where needed")
        username, password = parts.username, parts.password
        return cls(
            host=host,
            port=port,
            username=None if username is None else unquote(username),
            password=None if password is None else unquote(password),
        )
