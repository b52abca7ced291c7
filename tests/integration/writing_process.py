"""Writes captures and runs for as long as it lives, and names each on standard output once it is safe."""

import itertools
import sys
from pathlib import Path

import numpy as np

from daemon.captures import CaptureFiles
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from runners.messages import RunPhase
from tests.unit.daemon.example_capture import example_capture


def main(directory: Path) -> None:
    files = CaptureFiles(directory / "captures")
    capture = example_capture(np.random.default_rng(1), count=100_000)
    with Store(sqlite_url(directory)) as store:
        for index in itertools.count():
            run_id = f"run-{index}"
            store.create_run(
                run_id=run_id,
                board="tx1",
                network="alexnet",
                batch_size=1,
                precision="fp32",
                images_planned=None,
                captures=1,
            )
            store.add_capture(run_id, 0, files.write(run_id, capture, {}))
            store.record(run_id, event="captured", state=RunPhase.CAPTURED)
            sys.stdout.write(f"{run_id}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
