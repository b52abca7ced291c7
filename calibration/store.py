"""Store of certificates: a folder of files, one a certificate, none ever overwritten."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from calibration.certificate import Certificate
from calibration.circumstances import Circumstances
from calibration.document import certificate_to_text, text_to_certificate
from calibration.errors import BadCertificate, CertificateExists, CertificateFileError
from calibration.selection import Selection, newest_first, select

C = TypeVar("C", bound=Certificate)

_SUFFIX = ".json"


class CertificateStore:
    """Certificates as files in one folder, each named after its certificate."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        """The folder; made when the first certificate is added."""

    def add(self, certificate: Certificate) -> Path:
        """Write a certificate and return its file; it is whole on the disk, or not there at all.

        Raises:
            CertificateExists: one of this name is stored already.
            CertificateFileError: the disk refuses.
        """
        path = self._path(certificate.certificate_id)
        with _naming(path):
            self.directory.mkdir(parents=True, exist_ok=True)
            _write_new(path, certificate_to_text(certificate).encode())
        return path

    def read(self, certificate_id: str) -> Certificate:
        """Return one certificate.

        Raises:
            CertificateFileError: there is none of this name, or its file was changed or damaged.
        """
        return _read(self._path(certificate_id))

    def certificates(self) -> tuple[Certificate, ...]:
        """Return all certificates, the newest first.

        Raises:
            CertificateFileError: a file was changed or damaged. It is not passed over: a run would silently fall
                back on an older certificate.
        """
        return newest_first(self.read(name) for name in self.names())

    def names(self) -> tuple[str, ...]:
        """Return the identifiers by which files lie in the folder, sorted; whether each can be read, `read` says."""
        paths = self.directory.glob(f"*{_SUFFIX}") if self.directory.is_dir() else ()
        return tuple(sorted(path.stem for path in paths))

    def of_kind(self, kind: type[C]) -> tuple[C, ...]:
        """Return all certificates of one kind, the newest first; raises as `certificates` does."""
        return tuple(one for one in self.certificates() if isinstance(one, kind))

    def select(self, kind: type[C], circumstances: Circumstances, *, at_utc_ns: int) -> Selection[C]:
        """Return the newest certificate of a kind that fits and holds at an instant, or why there is none.

        Raises:
            CertificateFileError: a file was changed or damaged.
        """
        return select(self.of_kind(kind), circumstances, at_utc_ns=at_utc_ns)

    def _path(self, certificate_id: str) -> Path:
        return self.directory / f"{certificate_id}{_SUFFIX}"


def _read(path: Path) -> Certificate:
    with _naming(path):
        certificate = text_to_certificate(path.read_bytes())
    if certificate.certificate_id != path.stem:
        raise CertificateFileError(
            path, f"holds certificate {certificate.certificate_id!r}; a file is named after its certificate"
        )
    return certificate


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what fails inside into an error that names the file."""
    try:
        yield
    except FileExistsError as error:
        raise CertificateExists(f"{path} is stored already; a certificate is never overwritten") from error
    except FileNotFoundError as error:
        raise CertificateFileError(path, "there is no such certificate") from error
    except OSError as error:
        raise CertificateFileError(path, str(error.strerror)) from error
    except BadCertificate as error:
        raise CertificateFileError(path, str(error)) from error


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet: temporary name, sync, then a link, which never replaces a file."""
    unfinished = path.with_name(f".{path.stem}-{uuid.uuid4().hex}.tmp")
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(unfinished)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
