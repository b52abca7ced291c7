"""Broker TLS: the files by which broker and client know each other."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from runners.secret_file import check_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTls:
    """Files by which broker and client know each other; the broker's name or address is always checked."""

    ca_file: Path | None = None
    """Certificates of the authorities whose brokers are believed (PEM); None: those that this computer believes."""
    cert_file: Path | None = None
    """Our own certificate (PEM); None: none, and the log-in says who we are."""
    key_file: Path | None = None
    """Its private key (PEM), without a pass phrase and readable by nobody else."""

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            given, lacking = ("certificate", "key") if self.key_file is None else ("key", "certificate")
            raise ValueError(f"a client {given} is given without its {lacking}: give both or none")

    def context(self) -> ssl.SSLContext:
        """Return a context that has read the files; made for each connection, so that a renewed file counts.

        Raises:
            OSError: a file cannot be used; the text says which, and why.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise OSError(f"the authority's certificate {self.ca_file} cannot be used: {_reason(error)}") from None
        if self.cert_file is not None and self.key_file is not None:
            _load_own(context, self.cert_file, self.key_file)
        return context


def _load_own(context: ssl.SSLContext, cert_file: Path, key_file: Path) -> None:
    try:
        check_secret(key_file)
        # A key with a pass phrase would have it asked for at the terminal, and a daemon wait for ever.
        context.load_cert_chain(cert_file, key_file, password=lambda: "")
    except PermissionError as error:
        raise OSError(str(error)) from None
    except OSError as error:
        text = f"our certificate {cert_file} and key {key_file} cannot be used: {_reason(error)}"
        raise OSError(text) from None


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "a file is not there"
    text = error.strerror or str(error)
    return f"{text}; want PEM, a key without a pass phrase, and the two belonging together"
