"""Certificate check: certificates are whole, and those that results used are there, unchanged."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calibration.certificate import CaptureUse, Certificate
from calibration.document import sha256_of
from calibration.errors import CertificateFileError
from calibration.store import CertificateStore
from daemon.doctor.finding import Finding, FindingCode
from daemon.doctor.scene import Scene, Watch
from daemon.doctor.survey import ResultReferences
from daemon.file_checksum import file_checksum
from runners.count_text import count_text

RESTORE = "restore it from a backup (`joulebench backup`); results that used it cannot be computed again without it"
RESTORE_CAPTURE = (
    "restore it from a backup; the certificate holds all the same, but could not be computed again. Where another "
    "bench made it, its captures lie there"
)


@dataclass(slots=True)
class CertificateCheck:
    """Looks at the folder of certificates."""

    scene: Scene
    """The storage."""
    checksums: dict[str, str] = field(default_factory=dict)
    """Of every certificate that could be read, by its identifier."""
    damaged: set[str] = field(default_factory=set)
    """Names of the files that could not."""

    def findings(self, results: Sequence[ResultReferences], watch: Watch) -> Iterator[Finding]:
        """Yield what is wrong with certificates, the captures that they were computed from, and results' use of them.

        Args:
            results: what results rest on.
            watch: is told how far this is: every capture is read.
        """
        directory = self.scene.configuration.calibration.directory
        paths = sorted(directory.glob("*.json"))
        for done, path in enumerate(paths):
            watch("certificates", done, len(paths))
            yield from self._read(CertificateStore(directory), path)
        watch("certificates", len(paths), len(paths))
        yield from self._used(directory, results)

    def _read(self, store: CertificateStore, path: Path) -> Iterator[Finding]:
        try:
            certificate = store.read(path.stem)
        except CertificateFileError as error:
            self.damaged.add(path.stem)
            yield Finding(
                code=FindingCode.CERTIFICATE_DAMAGED, where=str(path), text=error.problem, remedy=_damaged_remedy(path)
            )
            return
        self.checksums[certificate.certificate_id] = sha256_of(certificate)
        yield from self._captures(certificate)

    def _captures(self, certificate: Certificate) -> Iterator[Finding]:
        for use in certificate.provenance.captures:
            path = self.scene.files.path(f"{use.capture_id}.parquet")
            if problem := _problem(path, use):
                code, text = problem
                yield Finding(
                    code=code,
                    where=str(path),
                    text=f"raw capture of certificate {certificate.certificate_id} {text}",
                    remedy=RESTORE_CAPTURE,
                )

    def _used(self, directory: Path, results: Sequence[ResultReferences]) -> Iterator[Finding]:
        """Yield each certificate that results used and that is not what it was, once, however many did."""
        uses = Counter(use for one in results if self.scene.holds(one.bench) for use in one.certificates)
        for (name, sha256), count in sorted(uses.items(), key=lambda item: (item[0][0], item[0][1] or "")):
            where = str(directory / f"{name}.json")
            found = self.checksums.get(name)
            if found is None and name not in self.damaged:
                text = f"{count_text(count, 'result')} used this certificate, and it is not there"
                yield Finding(code=FindingCode.CERTIFICATE_MISSING, where=where, text=text, remedy=RESTORE)
            elif found is not None and sha256 not in (None, found):
                used = f"{count_text(count, 'result')} used a certificate of this name with checksum {sha256}"
                text = f"{used}; this one has {found}"
                yield Finding(code=FindingCode.CERTIFICATE_DIFFERS, where=where, text=text, remedy=RESTORE)


def _problem(path: Path, use: CaptureUse) -> tuple[FindingCode, str] | None:
    try:
        sha256, _ = file_checksum(path)
    except FileNotFoundError:
        return FindingCode.CERTIFICATE_CAPTURE_MISSING, "is not there"
    except OSError as error:
        return FindingCode.CERTIFICATE_CAPTURE_DAMAGED, f"cannot be read: {error.strerror}"
    if sha256 != use.sha256:
        return FindingCode.CERTIFICATE_CAPTURE_DAMAGED, f"has checksum {sha256}, and {use.sha256} was written"
    return None


def _damaged_remedy(path: Path) -> str:
    return f"restore {path.name} from a backup, or move it away and calibrate again: runs are refused meanwhile"
