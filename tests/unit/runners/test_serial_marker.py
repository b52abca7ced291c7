"""Serial marker: the calls that move a control line, and what is refused.

A pseudo-terminal stands for the port; it has no control lines, so the calls that set them go to a list.
"""

import errno
import os
import struct
import termios
from collections.abc import Iterator

import pytest

from runners.errors import MarkerError
from runners.markers import SerialMarker

RTS, DTR = struct.pack("i", termios.TIOCM_RTS), struct.pack("i", termios.TIOCM_DTR)
ASSERT, RELEASE = termios.TIOCMBIS, termios.TIOCMBIC


class ControlLines:
    """What a port's control lines were told, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, bytes]] = []
        self.refusal: OSError | None = None

    def ioctl(self, fd: int, request: int, argument: bytes) -> None:
        assert os.isatty(fd), "the port is open"
        if self.refusal is not None:
            raise self.refusal
        self.calls.append((request, argument))


@pytest.fixture
def lines() -> ControlLines:
    return ControlLines()


@pytest.fixture
def port() -> Iterator[str]:
    controller, terminal = os.openpty()
    yield os.ttyname(terminal)
    os.close(controller)
    os.close(terminal)


@pytest.mark.parametrize(
    ("line", "bit", "low", "high"),
    [("rts", RTS, RELEASE, ASSERT), ("dtr", DTR, RELEASE, ASSERT), ("rts:inverted", RTS, ASSERT, RELEASE)],
)
def test_it_is_low_from_the_start_follows_and_ends_low(port, lines, line, bit, low, high):
    marker = SerialMarker(f"serial:{port}:{line}", ioctl=lines.ioctl)
    marker.set(True)
    marker.set(False)
    marker.set(True)
    marker.close()
    marker.close()
    assert lines.calls == [(request, bit) for request in (low, high, low, high, low)]
    with pytest.raises(MarkerError, match="closed"):
        marker.set(True)


def test_the_lines_belong_to_the_marker_alone(port, lines):
    fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
    settings = termios.tcgetattr(fd)
    settings[2] |= termios.CRTSCTS | termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, settings)
    marker = SerialMarker(f"serial:{port}:rts", ioctl=lines.ioctl)
    flags = termios.tcgetattr(fd)[2]
    marker.close()
    os.close(fd)
    assert not flags & termios.CRTSCTS, "the flow control would move RTS"
    assert not flags & termios.HUPCL, "closing the port would move both"
    assert flags & termios.CLOCAL


def test_a_terminal_without_control_lines_is_refused(port):
    with pytest.raises(MarkerError, match=r"cannot open the port: .*has no control lines.*want a serial port"):
        SerialMarker(f"serial:{port}:rts")


def test_a_file_that_is_no_terminal_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MarkerError, match="has no control lines"):
        SerialMarker(f"serial:{tmp_path}/file:rts")


def test_a_port_that_is_not_there_is_refused():
    with pytest.raises(MarkerError, match=r"/dev/no-such-port: No such file or directory; is the adapter plugged in"):
        SerialMarker("serial:/dev/no-such-port:rts")


def test_a_port_of_another_group_is_refused_with_the_group(port, monkeypatch):
    def refuse(path: object, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr("grp.getgrgid", lambda number: type("G", (), {"gr_name": "dialout"}))
    with pytest.raises(MarkerError, match="belongs to the group dialout: `sudo usermod -aG dialout"):
        SerialMarker(f"serial:{port}:rts")


def test_an_adapter_that_is_pulled_out_is_an_error(port, lines):
    marker = SerialMarker(f"serial:{port}:rts", ioctl=lines.ioctl)
    lines.refusal = OSError(errno.EIO, "Input/output error")
    with pytest.raises(MarkerError, match=r"set level 1: .*Input/output error"):
        marker.set(True)
    marker.close()
    with pytest.raises(MarkerError, match="closed"):
        marker.set(True)
