"""Live socket: a TCP connection that says so when the other side closes it."""

import errno
import os
import socket


class LiveSocket(socket.socket):
    """A socket whose `recv` raises at the end of the stream.

    pyvisa-py takes an empty `recv` for "nothing yet": its reads then spin until their time-out, and its clear (which
    every write to a Prologix adapter may call) spins for ever.
    """

    def recv(self, most_bytes: int, flags: int = 0) -> bytes:
        """Return what has come, at least one byte.

        Raises:
            ConnectionResetError: the other side closed the connection.
        """
        data = super().recv(most_bytes, flags)
        if not data and most_bytes:
            raise ConnectionResetError(errno.ECONNRESET, "the other side closed the connection")
        return data


def make_live(connection: socket.socket) -> LiveSocket:
    """Take a connected socket over: small messages leave at once, and its end is an error.

    Without TCP_NODELAY a write followed by a query waits 44 ms (Nagle's algorithm meets delayed acknowledgement), and
    pyvisa-py's own attribute for it is wired to the wrong setter (measured with 0.8.1).

    Raises:
        ConnectionError: the connection was never made (pyvisa-py does not look).
    """
    failure = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if failure:
        connection.close()
        raise ConnectionError(failure, os.strerror(failure))
    live = LiveSocket(fileno=connection.detach())
    live.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return live


def is_live(connection: socket.socket) -> bool:
    """Tell whether the other side has not closed the connection; reads nothing from it."""
    try:
        return bool(socket.socket.recv(connection, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except OSError:
        return False
