"""Admission: which requests may become a run."""

import time
from dataclasses import dataclass

from calibration.selection import SelectionOutcome
from daemon.bench_configuration import circumstances
from daemon.captures import CaptureFiles
from daemon.certificate_choice import CertificateChooser
from daemon.configuration import Configuration
from daemon.errors import RunRefusal
from daemon.sections.storage import MissingCertificate
from runners.messages import SYNC_METHODS, RunRequest


@dataclass(frozen=True, slots=True)
class Admission:
    """Checks a request against the configuration and the disk."""

    configuration: Configuration
    files: CaptureFiles

    def __call__(self, request: RunRequest) -> None:
        """Check a request.

        Raises:
            RunRefusal: it cannot become a run; the first reason found.
        """
        self._check_network(request)
        self._check_captures(request)
        self._check_sync(request)
        self._check_calibration()
        self._check_disk()

    def _check_network(self, request: RunRequest) -> None:
        runs = self.configuration.runs
        if not runs.admits(request.network):
            text = (
                f"network {request.network!r} is not among runs.networks ({', '.join(runs.networks)}); correct its "
                'name, or add it to the configuration ("*" admits any)'
            )
            raise RunRefusal("unknown_network", text)

    def _check_captures(self, request: RunRequest) -> None:
        limit = self.configuration.runs.max_captures
        if request.captures > limit:
            text = f"{request.captures} captures are more than runs.max_captures = {limit}"
            raise RunRefusal("too_many_captures", text)
        if request.images_planned is not None and request.images_planned % request.batch_size:
            text = f"images_planned = {request.images_planned} is not a whole number of batches of {request.batch_size}"
            raise RunRefusal("images_not_whole_batches", text)

    def _check_sync(self, request: RunRequest) -> None:
        if not set(request.sync) & set(SYNC_METHODS):
            text = f"the board offers sync {list(request.sync)}, this daemon needs one of {list(SYNC_METHODS)}"
            raise RunRefusal("sync_unavailable", text)

    def _check_calibration(self) -> None:
        if self.configuration.calibration.missing is not MissingCertificate.REJECT:
            return
        chooser = CertificateChooser(self.configuration)
        selection = chooser.chain(circumstances(self.configuration), at_utc_ns=time.time_ns())
        if selection.outcome is not SelectionOutcome.FOUND:
            raise RunRefusal(selection.outcome.value, f"calibration.missing is `reject`: {selection.text}")

    def _check_disk(self) -> None:
        free, least = self.files.free_bytes(), self.configuration.storage.min_free_bytes
        if free < least:
            text = f"{free} bytes free in {self.files.directory}, fewer than storage.min_free_bytes = {least}"
            raise RunRefusal("disk_full", text)
