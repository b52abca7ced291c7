"""Acknowledgements: tells the broker that a message is done with, never before it is.

aiomqtt acknowledges a message when it arrives, so that a crash in its handler loses it. paho's manual acknowledgement
makes the broker keep it, and send it again to the next connection of the session.
"""

from collections import deque
from dataclasses import dataclass

import aiomqtt

from runners.incoming import Handled


@dataclass(slots=True)
class _Received:
    """A message that came, and whether it is done with."""

    mid: int
    qos: int
    done: bool = False


class Acknowledgements:
    """Those of one connection; what a lost one still owes is owed no more, since the broker sends it again."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._paho = client._client
        self._paho.manual_ack_set(True)
        self._received: deque[_Received] = deque()

    def add(self, message: aiomqtt.Message, handled: Handled) -> None:
        """Take a message that a handler has taken: None if that is done with it, else what it is waiting for."""
        if message.qos == 0:
            return
        received = _Received(message.mid, message.qos)
        self._received.append(received)
        if handled is None:
            self._done(received)
        else:
            handled.add_done_callback(lambda _: self._done(received))

    def _done(self, received: _Received) -> None:
        """Acknowledge all that are done with up to the first that is not: MQTT 3.1.1 wants their order kept (4.6)."""
        received.done = True
        while self._received and self._received[0].done:
            first = self._received.popleft()
            self._paho.ack(first.mid, first.qos)
