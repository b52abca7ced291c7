"""Other instruments' files: what is read, and that a truncated, a wrong or a damaged one is refused in one sentence."""

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.formats import Format, detect, read_file
from instruments.recordings.gather import Gather
from metrology.power import energy_j
from metrology.window import Window
from tests.unit.recordings import instrument_files as files


@dataclass(frozen=True)
class Case:
    kind: Format
    write: Callable[[Path], Path]
    choice: Choice


CASES = {
    "ppk2": Case(Format.PPK2, files.write_ppk2, Choice(supply_v=5.0, marker="D0")),
    "keysight": Case(Format.KEYSIGHT, files.write_keysight, Choice(voltage="2", marker="D3")),
    "jls": Case(Format.JLS, files.write_jls, Choice(marker="0")),
    "ppk2-csv": Case(Format.PPK2, files.write_ppk2_csv, Choice(supply_v=5.0, marker="D0")),
    "keysight-csv": Case(
        Format.KEYSIGHT, files.write_keysight_csv, Choice(current="1", voltage="2", marker="D0", amperes_per_volt=10.0)
    ),
    "otii": Case(Format.OTII, files.write_otii_csv, Choice(marker="Arc GPI 1")),
    "csv": Case(Format.CSV, files.write_csv, Choice(current="I", voltage="U", marker="busy", rate_hz=1000.0)),
}
each = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@each
@pytest.mark.parametrize("automatic", [True, False])
def test_windows_and_energies_are_those_that_were_written(case: Case, automatic: bool, tmp_path: Path) -> None:
    kind = Format.AUTO if automatic else case.kind
    found = read_file(case.write(tmp_path), case.choice, kind=kind, images_per_window=7)
    assert found.sample_rate_hz == pytest.approx(1000.0)
    assert [(one.start_s, one.end_s) for one in found.windows] == [pytest.approx((0.1, 0.2)), pytest.approx((0.3, 0.4))]
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx([1.0, 1.0])  # 2 A, 5 V, 0.1 s
    assert energy_j(found.record, found.record.span) == pytest.approx(3.5)
    assert found.images == (7, 7)


@each
def test_windows_may_be_given(case: Case, tmp_path: Path) -> None:
    found = read_file(case.write(tmp_path), case.choice, given=(Window(start_s=0.0, end_s=0.1),))
    assert energy_j(found.record, found.windows[0]) == pytest.approx(0.5)
    assert found.sync == "given"


@each
def test_a_truncated_file_is_refused_or_holds_what_it_says(case: Case, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 10])
    with pytest.raises(RecordingError, match=path.name):
        read_file(path, case.choice, kind=case.kind)


@each
def test_a_file_of_another_format_is_refused(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "wrong"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(RecordingError, match="no known format"):
        read_file(path, case.choice, kind=case.kind)
    other = files.write_keysight(tmp_path) if case.kind is Format.PPK2 else files.write_ppk2(tmp_path)
    with pytest.raises(RecordingError, match="looks like"):
        read_file(other, case.choice, kind=case.kind)


@pytest.mark.parametrize("name", [name for name in CASES if name != "jls"])
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1))
def test_random_damage_gives_only_the_declared_error(name: str, seed: int, tmp_path: Path) -> None:
    case, dice = CASES[name], random.Random(seed)
    path = case.write(tmp_path)
    content = bytearray(path.read_bytes())
    for _ in range(dice.randint(1, 8)):
        content[dice.randrange(min(len(content), dice.choice((400, len(content)))))] = dice.randrange(256)
    path.write_bytes(content[: dice.randint(0, len(content))] if dice.random() < 0.3 else content)
    with contextlib.suppress(RecordingError):  # the one error that is declared
        read_file(path, case.choice, kind=case.kind)


def test_a_lost_sample_is_refused(tmp_path: Path) -> None:
    path = files.write_csv(tmp_path)
    path.write_text(path.read_text().replace("1000.0;", "nan;", 1))
    with pytest.raises(RecordingError, match="sample 0 is nan"):
        read_file(path, CASES["csv"].choice)


def test_uneven_time_is_refused(tmp_path: Path) -> None:
    path = files.write_otii_csv(tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:200] + lines[260:]))
    with pytest.raises(RecordingError, match=r"sample 199 is 0.061 s after the one before"):
        read_file(path, CASES["otii"].choice)


def test_without_voltage_or_windows_it_says_what_to_do(tmp_path: Path) -> None:
    path = files.write_ppk2(tmp_path)
    with pytest.raises(RecordingError, match="--supply"):
        read_file(path, Choice())
    with pytest.raises(RecordingError, match=r"--marker.*--sync step"):
        read_file(path, Choice(supply_v=5.0))


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(RecordingError, match="empty: is empty; copy it again"):
        detect(tmp_path / "empty")


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_a_long_record_keeps_its_energy_in_few_bins(block: int) -> None:
    gather = Gather(path=Path("x"), instrument="test", interval_s=0.5, bin_limit=64)
    power_w = np.arange(1024, dtype=np.float64)
    levels = (np.arange(1024) // 128) % 2 == 0  # high at the start: that pulse has no start
    for k in range(0, 1024, block):
        gather.add(power_w[k : k + block], 1.0, levels[k : k + block])
    bins = gather.series().bins
    assert 32 <= bins.bin_count <= 64
    whole = bins.bin_count * gather.factor
    assert energy_j(bins, bins.span) == pytest.approx(power_w[:whole].sum() * 0.5)
    assert [one.start_s for one in gather.windows(1e9)] == [128.0, 256.0, 384.0]


@pytest.mark.parametrize("name", ["0", "gpi0", "GPI 0", "gpi[0]", "in0"])
def test_a_joulescopes_line_is_named_as_its_programs_show_it(name: str, tmp_path: Path) -> None:
    assert len(read_file(files.write_jls(tmp_path), Choice(marker=name)).windows) == 2


def test_signals_that_begin_one_by_one_are_paired_by_their_numbers(tmp_path: Path) -> None:
    """As a Joulescope's do: voltage is 5 V, and 7 V from sample 340 on, by its own count."""
    path = files.write_jls(tmp_path, current_begins_at=40, voltage_begins_at=91, step_at=340)
    found = read_file(path, Choice(marker="0"))
    assert [one.start_s for one in found.windows] == pytest.approx([0.009, 0.209])
    assert [one.end_s for one in found.windows] == pytest.approx([0.109, 0.309])
    # the line is that of samples 100 to 199, where current is that of 60 to 159: 2 A in the last 60 of them
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx(
        [5.0 * (40 * 1.0 + 60 * 2.0) * 1e-3, (5.0 * 40 * 1.0 + 7.0 * 60 * 2.0) * 1e-3]
    )


def test_signals_with_no_sample_in_common_are_refused(tmp_path: Path) -> None:
    path = files.write_jls(tmp_path, voltage_begins_at=700)
    with pytest.raises(RecordingError, match=r"0 samples in common \(current from 0 on, 500, voltage from 700 on, 500"):
        read_file(path, Choice(marker="0"))
