"""Metrics of the disk: what is left, what is needed, and what the captures take."""

from prometheus_client import CollectorRegistry, Gauge


class DiskMetrics:
    """Space of the captures' folder."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._free = Gauge("joulebench_disk_free_bytes", "Space left on the captures' disk.", registry=registry)
        self._needed = Gauge(
            "joulebench_disk_needed_bytes", "Below it runs are rejected (storage.min_free_bytes).", registry=registry
        )
        self._bytes = Gauge("joulebench_captures_bytes", "Size of all capture files.", registry=registry)
        self._files = Gauge("joulebench_captures_files", "Number of capture files.", registry=registry)
        for gauge in (self._free, self._bytes, self._files):
            gauge.set(float("nan"))

    def space(self, *, free_bytes: int, needed_bytes: int) -> None:
        """Take what is left, and what a run needs, in bytes."""
        self._free.set(free_bytes)
        self._needed.set(needed_bytes)

    def captures(self, *, files: int, size_bytes: int) -> None:
        """Take what the captures are and hold, in bytes."""
        self._files.set(files)
        self._bytes.set(size_bytes)
