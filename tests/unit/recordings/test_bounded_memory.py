"""Bounded memory: a long file takes no more of it than a short one."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

SAMPLES = 40_000_000
BOUND_MIB = 400
"""Of everything: interpreter, libraries, bins and what is computed from them. The samples alone are 640 MiB as
floats of current and voltage."""

_PROGRAM = """
import json, re, sys
from pathlib import Path
from instruments.recordings.choice import Choice
from instruments.recordings.formats import read_file
from daemon.imports.draft import draft_of
from daemon.imports.import_analysis import analyse_import
from daemon.imports.source_file import SourceFile
from daemon.imports.stated_accuracy import StatedAccuracy
path = Path(sys.argv[1])
found = read_file(path, Choice(supply_v=5.0, marker="D0"))
draft = draft_of(found, SourceFile.of(path), images_per_window=1, accuracy=StatedAccuracy())
energy = analyse_import(draft.captures, draft.facts).energy
print(json.dumps({
    # of this program alone: the peak that getrusage tells is handed down from whoever started it
    "peak_mib": int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024,
    "samples": draft.captures[0].capture.time_base.sample_count,
    "gross_j": energy.gross_energy_per_image_j.value,
}))
"""


@pytest.mark.long
def test_a_long_ppk2_file(tmp_path: Path) -> None:
    path = tmp_path / "long.ppk2"
    frames = np.zeros(1_000_000, dtype=[("current_ua", "<f4"), ("lines", ">u2")])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("metadata.json", json.dumps({"metadata": {"samplesPerSecond": 100_000}}))
        with archive.open("session.raw", "w", force_zip64=True) as raw:
            for k in range(SAMPLES // frames.size):
                high = k % 4 == 2
                frames["current_ua"] = 0.2e6 if high else 0.1e6
                frames["lines"] = 0x5556 if high else 0x5555
                raw.write(frames.tobytes())
    result = subprocess.run([sys.executable, "-c", _PROGRAM, str(path)], capture_output=True, text=True, check=True)
    found = json.loads(result.stdout)
    assert found["peak_mib"] < BOUND_MIB
    assert found["samples"] <= 1 << 21
    # ten windows of 10 s at 1 W, nine gaps of 30 s at 0.5 W
    assert found["gross_j"] == pytest.approx((100 * 1.0 + 270 * 0.5) / 10, rel=1e-5)
