"""Page reader: what the page shows of what is kept, read in a thread of its own so that no capture waits for it."""

import asyncio
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from calibration.certificate import Certificate
from calibration.document import certificate_to_text
from calibration.errors import CertificateFileError
from calibration.selection import newest_first
from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration
from daemon.energy_comparison import comparison_document, two_groups
from daemon.errors import StoreError
from daemon.export.capture_file import CaptureFormat
from daemon.records import CaptureRecord, ResultRecord, RunRecord
from daemon.store import Store
from daemon.web.capture_reader import CaptureReader
from metrology.errors import MetrologyError
from runners.campaign.journal import read_journal
from runners.campaign.local_campaigns import SUFFIX as CAMPAIGN_SUFFIX
from runners.campaign.progress import CampaignProgress
from runners.errors import JournalError

T = TypeVar("T")
REST_S = 0.1
"""Time between the beginnings of two readings while a run is in hand, and before a run's first: one who asks for
waveforms without a pause has a tenth of a core, and who looks does not notice."""


class NotThere(Exception):
    """What was asked for is not there; the text says what to do."""


class PageReader:
    """Reads of one bench. Every method but `read` blocks, and is called by `read`."""

    def __init__(self, configuration: Configuration, store: Store) -> None:
        self._store = store
        self._files = CaptureFiles(configuration.storage.captures_directory)
        self._captures = CaptureReader(configuration, store)
        self._certificates = CertificateStore(configuration.calibration.directory)
        self._campaigns = configuration.http.campaigns
        self._turn = asyncio.Lock()
        self._begun_s = -math.inf
        self._known_run: str | None = None
        # One thread: many who look wait for one another, and take one core at most from who measures.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="page")

    async def read(self, work: Callable[[], T], *, run_in_hand: str | None = None) -> T:
        """Do blocking work in the reader's thread, one after another.

        Args:
            work: what to do.
            run_in_hand: that run's own work comes first: `REST_S` is left between two beginnings, and before its
                first, for every page asks about a new run while the oscilloscope is being programmed for it.
        """
        async with self._turn:
            if run_in_hand is not None:
                if run_in_hand != self._known_run:
                    self._known_run, self._begun_s = run_in_hand, time.monotonic()
                await asyncio.sleep(max(self._begun_s + REST_S - time.monotonic(), 0.0))
            self._begun_s = time.monotonic()
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def runs(self, limit: int, offset: int = 0) -> list[dict[str, Any]]:
        """Return the last runs of this bench, the newest first, each with what its newest result came to."""
        ours = self._store.runs(limit, offset=offset, ours=True)
        results = self._store.latest_results([run.run_id for run in ours if run.is_terminal])
        summaries = {run_id: _result_summary(one) for run_id, one in results.items()}
        return [run_document(run) | {"result": summaries.get(run.run_id)} for run in ours]

    def run(self, run_id: str) -> dict[str, Any]:
        """Return one run: its steps, its captures, its results, the newest first, and whether it was simulated.

        Raises:
            NotThere: there is no such run on this bench.
        """
        run = self._run(run_id)
        steps = [
            {"event": one.event, "state": one.state, "at_utc_ns": one.at_utc_ns, "text": one.detail.get("text")}
            for one in self._store.journal(run_id)
        ]
        records = self._store.captures(run_id)
        captures = [asdict(one) | {"kept": self._captures.is_kept(one.name)} for one in records]
        simulated = self._captures.is_simulated(records)
        results = [dict(one.document) for one in self._store.results(run_id)]
        return run_document(run) | {
            "steps": steps,
            "captures": captures,
            "results": results,
            "simulated": simulated,
        }

    def waveform(self, run_id: str, index: int, part: range | None = None) -> bytes:
        """Return one capture, or a part of its samples, as `daemon.web.waveform` has it.

        Raises:
            NotThere: there is no such capture, or its file was removed.
            CaptureFileError: its file is damaged.
        """
        record, _ = self._capture(run_id, index)
        return self._captures.waveform(record, self._store.latest_result(run_id), part)

    def export(self, run_id: str, index: int, form: CaptureFormat) -> tuple[str, bytes]:
        """Return the name and the content of a capture in another format; raises NotThere, TooLarge."""
        return self._captures.export(self._capture(run_id, index)[0], form)

    def compare(self, first: str, second: str) -> dict[str, Any]:
        """Return how the gross energies of two runs differ, or in words why they cannot be compared.

        Raises:
            NotThere: there is no such run on this bench.
        """
        for one in (first, second):
            self._run(one)
        try:
            groups = two_groups(self._store, first, second)
            return comparison_document(groups) | {"problem": None}
        except (StoreError, MetrologyError) as error:
            return {"problem": str(error)}

    def capture_file(self, run_id: str, index: int) -> Path:
        """Return where the file of a capture is; raises NotThere."""
        return self._capture(run_id, index)[1]

    def result(self, run_id: str) -> dict[str, Any]:
        """Return the newest result of a run as it was published; raises NotThere."""
        result = self._store.latest_result(self._run(run_id).run_id)
        if result is None:
            raise NotThere(f"run {run_id} has no result")
        return dict(result.document)

    def certificates(self) -> list[dict[str, Any]]:
        """Return every certificate: those whose file is damaged, each with why, then the others, the newest first."""
        found, damaged = [], []
        for name in self._certificates.names():
            try:
                found.append(self._certificates.read(name))
            except CertificateFileError as error:
                damaged.append({"certificate_id": name, "problem": str(error)})
        return damaged + [self._certificate(one) for one in newest_first(found)]

    def certificate_picture(self, certificate_id: str) -> Path:
        """Return the picture of a certificate's fit; raises NotThere."""
        path = self._picture(certificate_id)
        if not path.is_file():
            raise NotThere(f"certificate {certificate_id} has no picture")
        return path

    def campaigns(self) -> list[dict[str, Any]]:
        """Return how far each campaign of the folder is; one whose journal cannot be read says why."""
        return [_campaign(path) for path in self._journals()]

    def campaigns_mark(self) -> tuple[tuple[str, int, int], ...]:
        """Return name, length and time of each campaign's journal: something else as soon as one was written to."""
        found = []
        for path in self._journals():
            with suppress(OSError):  # it went meanwhile
                facts = path.stat()
                found.append((path.name, facts.st_size, facts.st_mtime_ns))
        return tuple(found)

    def _journals(self) -> list[Path]:
        if self._campaigns is None or not self._campaigns.is_dir():
            return []
        return sorted(self._campaigns.glob(f"*{CAMPAIGN_SUFFIX}"))

    def _run(self, run_id: str) -> RunRecord:
        run = self._store.run(run_id)
        if run is None:
            raise NotThere(f"there is no run {run_id} on this bench; `joulebench runs list` names those there are")
        return run

    def _capture(self, run_id: str, index: int) -> tuple[CaptureRecord, Path]:
        captures = {one.capture_index: one for one in self._store.captures(self._run(run_id).run_id)}
        record = captures.get(index)
        if record is None:
            raise NotThere(f"run {run_id} has no capture {index}")
        path = self._files.path(record.name)
        if not path.is_file():
            why = f": {record.removed_reason}" if record.removed_reason else ""
            raise NotThere(f"the file of capture {record.capture_id} is not kept any more{why}")
        return record, path

    def _certificate(self, one: Certificate) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(certificate_to_text(one))["certificate"]
        return content | {"picture": self._picture(one.certificate_id).is_file(), "problem": None}

    def _picture(self, certificate_id: str) -> Path:
        return self._certificates.directory / f"{certificate_id}.png"


def run_document(run: RunRecord) -> dict[str, Any]:
    """Return a run as JSON values, without the board's long lists of its batches."""
    document = asdict(run)
    document["state"] = run.state.value
    finished = document.pop("finished") or {}
    document["images"], document["batches"] = finished.get("images"), finished.get("batches")
    return document


def _result_summary(result: ResultRecord) -> dict[str, Any]:
    document = asdict(result)
    whole = document.pop("document")
    reasons = [one["code"] for one in whole.get("reasons") or ()]
    return document | {"reasons": reasons, "sync": whole.get("sync")}


def _campaign(path: Path) -> dict[str, Any]:
    name = path.name.removesuffix(CAMPAIGN_SUFFIX)
    try:
        lines = read_journal(path)
        progress = CampaignProgress.of((), lines)
        runs = [one.document() for one in progress.runs]
        left_s = progress.remaining_s(remeasure_invalid=0)
    except (JournalError, OSError, KeyError, TypeError, ValueError) as error:
        return {"name": name, "problem": str(error)}
    is_over = bool(lines) and lines[-1]["event"] == "finished"
    return {"name": name, "problem": None, "finished": is_over, "remaining_s": left_s, "runs": runs}
