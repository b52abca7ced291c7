"""Repairs: what is safe to put right, each journalled before it is done."""

from daemon.captures import CaptureFiles, CaptureReference
from daemon.doctor.finding import AdoptCapture, EndRun, Finding, RemoveUnfinished
from daemon.errors import CaptureFileError
from daemon.file_checksum import file_checksum
from daemon.store import Store
from runners.messages import RunPhase

EVENT = "repaired"
"""Event of the journal."""
ENDED = "the daemon stopped while this run was in hand, and the doctor ended it; request the run again"


class Repairs:
    """Repairs of one storage, by whoever holds its bench."""

    def __init__(self, store: Store, files: CaptureFiles) -> None:
        self._store = store
        self._files = files

    def perform(self, finding: Finding) -> bool:
        """Put a finding right; return False where there is nothing that would be safe.

        Raises:
            StoreError: the database refuses.
            CaptureFileError: the file is another one than was examined.
            OSError: the disk refuses.
        """
        match finding.repair:
            case None:
                return False
            case AdoptCapture() as repair:
                self._adopt(repair, finding)
            case RemoveUnfinished(path=path):
                self._store.record(None, event=EVENT, text=finding.text, detail=_detail(finding))
                path.unlink(missing_ok=True)
            case EndRun(run_id=run_id):
                state, reason = RunPhase.INTERRUPTED, "daemon_stopped"
                self._store.record(
                    run_id, event=EVENT, state=state, reason=reason, text=ENDED, detail={"code": finding.code.value}
                )
        return True

    def _adopt(self, repair: AdoptCapture, finding: Finding) -> None:
        path = self._files.path(repair.name)
        sha256, size_bytes = file_checksum(path)
        if sha256 != repair.sha256:
            raise CaptureFileError(path, "adopt", "it was changed since it was examined; run the doctor again")
        self._store.record(repair.run_id, event=EVENT, text=finding.text, detail=_detail(finding))
        reference = CaptureReference(capture_id=repair.capture_id, path=path, sha256=sha256, size_bytes=size_bytes)
        self._store.add_capture(repair.run_id, repair.capture_index, reference)


def _detail(finding: Finding) -> dict[str, str]:
    return {"code": finding.code.value, "where": finding.where}
