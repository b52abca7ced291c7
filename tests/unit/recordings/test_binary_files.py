"""Binary files: what the format allows and cannot be measured is refused with the reason; nothing is written to."""

import contextlib
import hashlib
import random
import struct
from pathlib import Path

import pytest

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.formats import Format, detect, read_file
from metrology.power import energy_j
from tests.unit.recordings import instrument_files as files
from tests.unit.recordings.instrument_files import SAMPLES, current_a, high, waveform

AMPS = b"".join(struct.pack("<f", current_a(k)) for k in range(SAMPLES))
VOLTS = struct.pack("<f", 5.0) * SAMPLES
FIVE = Choice(supply_v=5.0, marker="D1")


def bin_file(folder: Path, *waveforms: bytes) -> Path:
    path, body = folder / "scope.bin", b"".join(waveforms)
    path.write_bytes(b"AG10" + struct.pack("<2i", 12 + len(body), len(waveforms)) + body)
    return path


def pod(bit: int, *, label: str = "") -> bytes:
    return waveform(
        label, kind=6, unit=0, data=bytes(high(k) << bit | (0xFF ^ 1 << bit) * (k % 2) for k in range(SAMPLES))
    )


def current(label: str = "1", *, kind: int = 1, segment: int = 0, buffers: int = 1, buffer: int = 1) -> bytes:
    made = bytearray(waveform(label, kind=kind, unit=4, data=AMPS))
    struct.pack_into("<i", made, 8, buffers)
    struct.pack_into("<I", made, 136, segment)
    struct.pack_into("<h", made, 144, buffer)
    return bytes(made)


@pytest.mark.parametrize("line", range(16))
def test_each_line_of_both_pods_is_found(line: int, tmp_path: Path) -> None:
    pods = [pod(line % 8), waveform("", kind=6, unit=0, data=bytes(SAMPLES))]
    path = bin_file(tmp_path, current(), *(pods if line < 8 else reversed(pods)))
    found = read_file(path, Choice(supply_v=5.0, marker=f"D{line}"))
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx([1.0, 1.0])
    assert found.identity == "Keysight MSO-X 2024A:MY1"
    assert found.is_unit
    assert not found.means


@pytest.mark.parametrize(
    ("labels", "lines", "refused"),
    [
        (("",), ["D1"], ["D9"]),
        (("Pod 1",), ["D1"], ["D9"]),
        (("POD2",), ["D9"], ["D1"]),
        (("D15-D8",), ["D9"], ["D1"]),
        (("D0-D7",), ["D1"], ["D9", "D15"]),
        (("my lines",), ["D1"], ["D9"]),
    ],
)
def test_a_pod_that_was_not_saved_is_not_replaced_by_the_other(
    labels: tuple[str, ...], lines: list[str], refused: list[str], tmp_path: Path
) -> None:
    path = bin_file(tmp_path, current(), *(pod(1, label=label) for label in labels))
    for line in lines:
        assert len(read_file(path, Choice(supply_v=5.0, marker=line)).windows) == 2
    for line in refused:
        with pytest.raises(RecordingError, match=rf"not that of D\d+ to D\d+, so no line '{line}'; save that pod too"):
            read_file(path, Choice(supply_v=5.0, marker=line))


def test_labels_say_more_than_the_order_of_pods(tmp_path: Path) -> None:
    quiet = waveform("Pod 1", kind=6, unit=0, data=bytes(SAMPLES))
    path = bin_file(tmp_path, current(), pod(1, label="Pod 2"), quiet)
    assert len(read_file(path, Choice(supply_v=5.0, marker="D9")).windows) == 2


@pytest.mark.parametrize("name", ["AGND_current_a", "AG10_current_a"])
def test_a_table_whose_heading_begins_as_a_binary_file_is_a_table(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "\n".join([f"{name},time_s,busy", *(f"{current_a(k)},{k / 1e3},{high(k):d}" for k in range(SAMPLES))])
    )
    assert detect(path) is Format.CSV
    assert len(read_file(path, Choice(supply_v=5.0, marker="busy")).windows) == 2


def test_an_analogue_channel_may_be_the_marker(tmp_path: Path) -> None:
    levels = b"".join(struct.pack("<f", 3.3 * high(k)) for k in range(SAMPLES))
    path = bin_file(tmp_path, current(), waveform("trigger", kind=1, unit=1, data=levels))
    assert len(read_file(path, Choice(supply_v=5.0, marker="trigger")).windows) == 2


def test_peak_detect_is_refused_with_the_reason(tmp_path: Path) -> None:
    for made in (current(kind=2, buffers=2, buffer=3), current(buffer=2), current(kind=2)):
        with pytest.raises(RecordingError, match=r"peak detect.*no energy follows; acquire normal"):
            read_file(bin_file(tmp_path, made, pod(1)), FIVE)


def test_segments_are_refused_with_the_reason(tmp_path: Path) -> None:
    path = bin_file(tmp_path, *(current(segment=k + 1) for k in range(3)))
    with pytest.raises(RecordingError, match=r"3 segments of channel 1.*one segment a file"):
        read_file(path, FIVE)


def test_several_currents_must_be_named(tmp_path: Path) -> None:
    path = bin_file(tmp_path, current("core"), current("io"), pod(1))
    with pytest.raises(RecordingError, match=r"2 channels in amperes.*--current \(core, io"):
        read_file(path, FIVE)
    assert len(read_file(path, Choice(supply_v=5.0, marker="D1", current="io")).windows) == 2


def test_a_pod_is_neither_current_nor_one_line(tmp_path: Path) -> None:
    path = bin_file(tmp_path, current(), pod(1, label="P"))
    with pytest.raises(RecordingError, match="digital pod and no current"):
        read_file(path, Choice(supply_v=5.0, marker="D1", current="P"))
    with pytest.raises(RecordingError, match="eight digital lines"):
        read_file(path, Choice(supply_v=5.0, marker="P"))
    with pytest.raises(RecordingError, match="no digital pod"):
        read_file(bin_file(tmp_path, current()), FIVE)


@pytest.mark.parametrize("points", [2**31 - 1, -5, 0, 10**9])
def test_a_damaged_count_allocates_nothing(points: int, tmp_path: Path) -> None:
    made = bytearray(current())
    struct.pack_into("<i", made, 12, points)
    with pytest.raises(RecordingError, match="waveform 1"):
        read_file(bin_file(tmp_path, bytes(made), pod(1)), FIVE)


def test_the_lines_of_a_ppk2_are_big_endian(tmp_path: Path) -> None:
    path = files.write_ppk2(tmp_path)
    assert len(read_file(path, Choice(supply_v=5.0, marker="D0")).windows) == 2
    with pytest.raises(RecordingError, match="D4 has no whole pulse"):  # which is what D0 was, read the other way round
        read_file(path, Choice(supply_v=5.0, marker="D4"))


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("cut", [1, 100, 1962, 3924, 7000])
def test_a_cut_jls_file_is_refused_and_left_as_it_is(cut: int, tmp_path: Path) -> None:
    path = files.write_jls(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    before = checksum(path)
    with pytest.raises(RecordingError, match=f"{path.name}: has .* bytes where its head says 7848: it is truncated"):
        read_file(path, Choice(marker="0"))
    assert checksum(path) == before  # pyjls alone would repair it in place


def test_a_jls_file_that_was_never_closed_says_so(tmp_path: Path) -> None:
    path = files.write_jls(tmp_path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<Q", content, 16, 0)
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="never closed"):
        read_file(path, Choice(marker="0"))


def test_a_jls_file_names_its_instrument(tmp_path: Path) -> None:
    found = read_file(files.write_jls(tmp_path), Choice(marker="0"))
    assert (found.identity, found.is_unit, found.means) == ("v m 1", True, True)


@pytest.mark.long
def test_damaged_jls_files_give_the_declared_error_and_are_left_alone(tmp_path: Path) -> None:
    path = files.write_jls(tmp_path)
    good = path.read_bytes()
    for seed in range(150):
        dice, content = random.Random(seed), bytearray(good)
        for _ in range(dice.randint(1, 8)):
            content[dice.randrange(32, len(content))] = dice.randrange(256)
        path.write_bytes(content)
        with contextlib.suppress(RecordingError):  # the one error that is declared
            read_file(path, Choice(marker="0"), kind=Format.JLS)
        assert path.read_bytes() == bytes(content), f"seed {seed}: the file was changed"


def test_two_instruments_in_one_jls_file_are_not_mixed_up(tmp_path: Path) -> None:
    path = files.write_jls(tmp_path, second_current=True)
    with pytest.raises(RecordingError, match=r"2 signals 'current' \(of the sources 1, 1\)"):
        read_file(path, Choice(marker="0"))
