"""Files of other instruments, written from their published formats and not by the readers' code.

Each holds 1 A and, for samples 100 to 199 and 300 to 399 of 500 at 1 kHz, 2 A; the marker is high just there.
"""

import json
import struct
import zipfile
from pathlib import Path

RATE_HZ = 1000
SAMPLES = 500


def high(k: int) -> bool:
    return 100 <= k < 200 or 300 <= k < 400


def current_a(k: int) -> float:
    return 2.0 if high(k) else 1.0


def write_ppk2(folder: Path) -> Path:
    path = folder / "session.ppk2"
    # current little-endian, lines big-endian, as Nordic's own writer has them; D0 high is 10, low 01; D1 to D7 low
    frames = [
        struct.pack("<f", current_a(k) * 1e6) + struct.pack(">H", 0x5556 if high(k) else 0x5555) for k in range(SAMPLES)
    ]
    with zipfile.ZipFile(path, "w") as archive:
        document = {"metadata": {"samplesPerSecond": RATE_HZ, "startSystemTime": 0}, "formatVersion": 2}
        archive.writestr("metadata.json", json.dumps(document))
        archive.writestr("session.raw", b"".join(frames))
        archive.writestr("minimap.raw", "{}")
    return path


def waveform(label: str, *, kind: int, unit: int, data: bytes) -> bytes:
    head = struct.pack("<5i", 140, kind, 1, SAMPLES, 0) + struct.pack("<f", 0.5) + struct.pack("<3d", 0, 1e-3, 0)
    head += struct.pack("<2i", 2, unit) + b"26 NOV 2026".ljust(16, b"\0") + b"13:00:00".ljust(16, b"\0")
    head += b"MSO-X 2024A:MY1".ljust(24, b"\0") + label.encode().ljust(16, b"\0") + struct.pack("<dI", 0, 0)
    assert len(head) == 140
    size = 1 if kind == 6 else 4
    return head + struct.pack("<ihhi", 12, 6 if kind == 6 else 1, size, len(data)) + data


def write_keysight(folder: Path) -> Path:
    path = folder / "scope.bin"
    amps = b"".join(struct.pack("<f", current_a(k)) for k in range(SAMPLES))
    volts = struct.pack("<f", 5.0) * SAMPLES
    body = waveform("1", kind=1, unit=4, data=amps) + waveform("2", kind=1, unit=1, data=volts)
    # a pod is one waveform, whose bytes hold eight lines; D3 is the marker, D0 toggles all the time
    body += waveform("Pod 1", kind=6, unit=0, data=bytes(high(k) << 3 | k % 2 for k in range(SAMPLES)))
    path.write_bytes(b"AG10" + struct.pack("<2i", 12 + len(body), 3) + body)
    return path


def write_jls(
    folder: Path,
    *,
    current_begins_at: int = 0,
    voltage_begins_at: int = 0,
    step_at: int = 1 << 30,
    second_current: bool = False,
) -> Path:
    """Write a Joulescope's file; the voltage is 5 V, and 7 V from sample `step_at` on."""
    import numpy as np
    from pyjls import DataType, SignalDef, SignalType, SourceDef, Writer

    path = folder / "joulescope.jls"
    with Writer(str(path)) as writer:
        writer.source_def_from_struct(
            SourceDef(source_id=1, name="js", vendor="v", model="m", version="1", serial_number="1")
        )
        kinds = [(1, "current", "A", DataType.F32), (2, "voltage", "V", DataType.F32), (3, "gpi[0]", "", DataType.U1)]
        kinds += [(4, "current", "A", DataType.F32)] if second_current else []
        for number, name, units, kind in kinds:
            writer.signal_def_from_struct(
                SignalDef(
                    signal_id=number,
                    source_id=1,
                    signal_type=SignalType.FSR,
                    data_type=kind,
                    sample_rate=RATE_HZ,
                    name=name,
                    units=units,
                )
            )
        writer.fsr(1, current_begins_at, np.array([current_a(k) for k in range(SAMPLES)], dtype=np.float32))
        writer.fsr(
            2,
            voltage_begins_at,
            np.where(np.arange(SAMPLES) + voltage_begins_at < step_at, 5.0, 7.0).astype(np.float32),
        )
        writer.fsr(3, 0, np.packbits([high(k) for k in range(SAMPLES)], bitorder="little"))
    return path


def write_ppk2_csv(folder: Path) -> Path:
    rows = [f"{k},{current_a(k) * 1e6:.3f},{'10000000' if high(k) else '00000000'}" for k in range(SAMPLES)]
    return _text(folder / "ppk.csv", ["Timestamp(ms),Current(uA),D0-D7", *rows])


def write_keysight_csv(folder: Path) -> Path:
    rows = [f"{k * 1e-3 - 0.05:.6E},{current_a(k) * 0.1:.4E},5.0E+00,{int(high(k))}" for k in range(SAMPLES)]
    return _text(folder / "scope.csv", ["x-axis,1,2,D0", "second,Volt,Volt,", *rows])


def write_otii_csv(folder: Path) -> Path:
    rows = [f"{k * 1e-3:.6f},{current_a(k):.6f},5.0,{int(high(k))}" for k in range(SAMPLES)]
    return _text(folder / "otii.csv", ["Timestamp,Arc Main Current (A),Arc Main Voltage (V),Arc GPI 1", *rows])


def write_csv(folder: Path) -> Path:
    rows = [f"{current_a(k) * 1e3};5;{int(high(k))}" for k in range(SAMPLES)]
    return _text(folder / "any.csv", ["I [mA];U [V];busy", *rows])


def _text(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
