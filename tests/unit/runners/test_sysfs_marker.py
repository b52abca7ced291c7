"""sysfs marker, on files of the shape of /sys/class/gpio."""

import errno
import os
from pathlib import Path

import pytest

from runners.errors import MarkerError
from runners.markers import SysfsMarker


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """/sys/class/gpio before anything is exported."""
    (tmp_path / "export").write_text("")
    return tmp_path


@pytest.fixture
def line(root: Path) -> Path:
    """Line 398, exported already."""
    folder = root / "gpio398"
    folder.mkdir()
    for name, text in {"direction": "in", "value": "0", "active_low": "1"}.items():
        (folder / name).write_text(text)
    return folder


def test_an_exported_line_becomes_an_output_that_is_low_and_not_inverted(root, line):
    marker = SysfsMarker("sysfs:398", root=root)
    assert ((line / "direction").read_text(), (line / "active_low").read_text()) == ("low", "0")
    assert (root / "export").read_text() == "", "it was exported already"
    marker.close()


def test_levels_reach_the_line_and_it_ends_low(root, line):
    marker = SysfsMarker("sysfs:398", root=root)
    values = []
    for level in (True, False, True):
        marker.set(level)
        values.append((line / "value").read_text())
    marker.close()
    marker.close()
    assert values == ["1", "0", "1"]
    assert (line / "value").read_text() == "0"
    with pytest.raises(MarkerError, match="closed"):
        marker.set(True)


def test_the_file_is_opened_once(root, line, monkeypatch):
    marker = SysfsMarker("sysfs:398", root=root)
    with monkeypatch.context() as context:
        context.setattr(os, "open", lambda *_: pytest.fail("opened again"))
        marker.set(True)
    marker.close()


def test_a_line_that_is_not_there_yet_is_asked_for(root, monkeypatch):
    monkeypatch.setattr("runners.markers.sysfs.APPEARS_S", 0.02)
    with pytest.raises(MarkerError, match="No such file"):  # no kernel makes the files here
        SysfsMarker("sysfs:398", root=root)
    assert (root / "export").read_text() == "398"


def test_the_files_are_waited_for(root, line, monkeypatch):
    """udev hands them to their group a moment after they appear."""
    answers = iter([False, True, True])
    monkeypatch.setattr(os, "access", lambda *_: next(answers))
    SysfsMarker("sysfs:398", root=root).close()
    assert next(answers, None) is None


def test_a_machine_without_it_is_told_so(tmp_path):
    with pytest.raises(
        MarkerError, match=r"sysfs:398: cannot open the line: this machine has no GPIO in .*gpio:DEVICE"
    ):
        SysfsMarker("sysfs:398", root=tmp_path / "none")


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.EINVAL, "no chip has this number: .*debug/gpio"),
        (errno.EBUSY, "a driver of the kernel has the line"),
        (errno.EACCES, "(belongs to the group|root's alone)"),
    ],
)
def test_what_the_kernel_refuses_is_an_error_with_its_remedy(root, monkeypatch, number, word):
    def refuse(path: Path, text: str) -> int:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(MarkerError, match=f"export: {os.strerror(number)}.*{word}"):
        SysfsMarker("sysfs:398", root=root)


def test_a_line_that_goes_away_is_an_error(root, line, monkeypatch):
    marker = SysfsMarker("sysfs:398", root=root)
    with monkeypatch.context() as context:
        context.setattr(os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
        with pytest.raises(MarkerError, match=r"set level 1: .*I/O error"):
            marker.set(True)
        marker.close()
