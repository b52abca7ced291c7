"""PostgreSQL: a database that several daemons share, reached over a network that may fail in the middle of a word."""

import logging
import ssl
from importlib.util import find_spec
from typing import Any, Final

from sqlalchemy import URL

from daemon.errors import StoreError

# A connection that breaks cannot be closed in an orderly way, which the pool reports with a trace for each of them;
# what came of it says the transaction.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)

DRIVERS: Final = ("pg8000", "psycopg", "psycopg2")
"""Drivers for a URL that names none, the first that is installed; `joulebench[postgresql]` brings the first."""
TIMEOUT_S: Final = 15.0
"""How long a server may say nothing before it is taken for lost, in seconds."""
_STATEMENT_TIMEOUT_S = 10
_LOCK_TIMEOUT_S = 5
# What was told to be kept is on the server's disk before it is acted on, whatever the server's own default is.
_SESSION = {
    "synchronous_commit": "on",
    "default_transaction_isolation": "read committed",
    "statement_timeout": f"{_STATEMENT_TIMEOUT_S}s",
    "lock_timeout": f"{_LOCK_TIMEOUT_S}s",
}
_TLS_KEYS = frozenset({"sslmode", "sslrootcert"})


def with_driver(url: URL) -> URL:
    """Return a URL that names its driver: `postgresql://` takes whichever is installed.

    Raises:
        StoreError: none is.
    """
    if "+" in url.drivername:
        return url
    for driver in DRIVERS:
        if find_spec(driver) is not None:
            return url.set(drivername=f"postgresql+{driver}")
    raise StoreError(
        'a postgresql:// database needs a driver, and none is installed: pip install "joulebench[postgresql]"'
    )


def connection_arguments(url: URL, *, timeout_s: float) -> tuple[URL, dict[str, Any]]:
    """Return a URL and what else its driver is to be told.

    Of libpq's parameters pg8000 is told `sslmode` and `sslrootcert`, by the meaning that they have there.

    Raises:
        StoreError: the URL asks for what this cannot do.
    """
    if url.get_driver_name() != "pg8000":
        return url, {}
    unknown = set(url.query) - _TLS_KEYS
    if unknown:
        raise StoreError(
            f"storage.database_url has {', '.join(sorted(unknown))} behind its `?`, and only "
            f"{' and '.join(sorted(_TLS_KEYS))} may stand there"
        )
    arguments = {"timeout": timeout_s, "application_name": "joulebench", "startup_params": dict(_SESSION)}
    return url.difference_update_query(_TLS_KEYS), arguments | {"ssl_context": _tls(url)}


def _tls(url: URL) -> ssl.SSLContext | bool | None:
    """Return how the connection is encrypted: None lets the server choose, False forbids it."""
    mode, authorities = str(url.query.get("sslmode", "prefer")), url.query.get("sslrootcert")
    match mode:
        case "disable":
            return False
        case "prefer" if authorities is None:
            return None
        case "require" if authorities is None:
            return True
        case "verify-ca" | "verify-full" | "require" | "prefer":
            return _verifying(None if authorities is None else str(authorities), names=mode != "verify-ca")
    raise StoreError(f"storage.database_url has sslmode={mode}: disable, prefer, require, verify-ca or verify-full")


def _verifying(authorities: str | None, *, names: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise StoreError(
            f"storage.database_url has sslrootcert={authorities}, which cannot be read: {error}"
        ) from error
    context.check_hostname = names
    return context
