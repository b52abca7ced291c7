"""Log: configured once, here; to standard error, so that standard output stays the verb's own."""

import logging
import sys
from enum import StrEnum


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def configure_log(level: LogLevel) -> None:
    """Log to standard error with time, level and logger."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level.value.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        force=True,
    )
    # These two repeat every message of the wire at INFO, and the broker's loop its own noise.
    for name in ("pyvisa", "aiomqtt", "mqtt", "amqtt", "transitions", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
