"""A small EnergyRunner recording written for tests: two windows of known energy."""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from instruments.recordings.energyrunner import ENERGY_FILE, RESULTS_FILE, TIMESTAMPS_FILE
from tests.unit.metrology.step_session import PAUSE_W, STEP_W, Session
from tests.unit.metrology.step_session import RATE_HZ as SESSION_HZ

ENERGIES_UJ = [1.0, 1.0, 5.0, 5.0, 5.0, 1.0, 1.0, 7.0, 7.0, 1.0]
"""Windows are bins 2 to 4 (15 uJ) and 7 to 8 (14 uJ); each number is exact in float32."""
STAMPS_S = [0.01, 0.02, 0.05, 0.07, 0.09]
RATE_HZ = 100.0
RESULTS = """\
00001.000 ulp-ml: Energy data for window 2 at time 0.02 for 0.03 sec.:
00001.000 ulp-ml:   Energy       :        999.000 uJ
00001.000 ulp-ml: Performance results for window 2:
00001.000 ulp-ml:   # Inferences :           30
00001.000 ulp-ml:   Runtime      :        0.030 sec.
00001.000 ulp-ml: Performance results for window 4:
00001.000 ulp-ml:   # Inferences :           20
"""


def energy_bytes(energies_uj: Sequence[float] = ENERGIES_UJ, *, rate_hz: float = RATE_HZ, tag: int = 0xF1) -> bytes:
    return struct.pack(f"<Bf{len(energies_uj)}f", tag, rate_hz, *energies_uj)


def write_session(directory: Path, made: Session, *, results: str | None = None) -> Path:
    """Write a session without time stamps and return its folder; results None leaves that file out too."""
    write_recording(directory, energy=session_bytes(made), results=results)
    (directory / TIMESTAMPS_FILE).unlink()
    return directory


def session_bytes(made: Session) -> bytes:
    energies_uj = 1e6 * (PAUSE_W + STEP_W * made.activity) / SESSION_HZ
    return energy_bytes(energies_uj.tolist(), rate_hz=SESSION_HZ)


def results_of(counts: Mapping[int, int]) -> str:
    """Return the log for images by number of the window."""
    return "".join(f"Performance results for window {k}:\n  # Inferences : {n}\n" for k, n in counts.items())


def write_recording(
    directory: Path, *, energy: bytes | None = None, stamps: Any = None, results: str | None = RESULTS
) -> Path:
    """Write a recording and return its folder; results None leaves that file out."""
    directory.mkdir(exist_ok=True)
    (directory / ENERGY_FILE).write_bytes(energy_bytes() if energy is None else energy)
    (directory / TIMESTAMPS_FILE).write_text(json.dumps(STAMPS_S if stamps is None else stamps))
    if results is not None:
        (directory / RESULTS_FILE).write_text(results)
    return directory
