"""MQTT packets: a stream of bytes cut into whole control packets, as MQTT 3.1.1 lays them out (sections 2.2, 3.3)."""

_PUBLISH = 0x30
_DUPLICATE = 0x08
_QOS = 0x06
_LENGTH_BYTES = 4  # the remaining length takes at most these


class PacketSplitter:
    """Takes bytes as they come, and gives packets as they are whole."""

    def __init__(self) -> None:
        self._received = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the packets that these bytes complete, each with its header.

        Raises:
            ValueError: this is no MQTT: a remaining length of more than four bytes.
        """
        self._received += data
        packets = []
        while (length := _packet_bytes(self._received)) is not None and len(self._received) >= length:
            packets.append(self._received[:length])
            self._received = self._received[length:]
        return packets


def is_publish(packet: bytes) -> bool:
    """Return whether a packet carries an application's message."""
    return packet[0] & 0xF0 == _PUBLISH


def topic_of(publish: bytes) -> str:
    """Return the topic of a PUBLISH."""
    start = 1 + _length_bytes(publish)
    size = int.from_bytes(publish[start : start + 2], "big")
    return publish[start + 2 : start + 2 + size].decode("utf-8", "replace")


def repeated(publish: bytes) -> bytes:
    """Return a PUBLISH as its sender would deliver it again: marked so, unless its quality of service is 0."""
    if not publish[0] & _QOS:
        return publish
    return bytes([publish[0] | _DUPLICATE]) + publish[1:]


def _packet_bytes(received: bytes) -> int | None:
    """Return the length of the packet that begins here, header included; None while that is not known yet."""
    value = 0
    for index in range(_LENGTH_BYTES):
        if len(received) < index + 2:
            return None
        byte = received[index + 1]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return 2 + index + value
    raise ValueError(f"no MQTT: the remaining length of {received[:5].hex()} takes more than {_LENGTH_BYTES} bytes")


def _length_bytes(packet: bytes) -> int:
    """Return how many bytes the remaining length takes."""
    return next(index + 1 for index in range(_LENGTH_BYTES) if not packet[index + 1] & 0x80)
