"""The command, with two faults that a signal plants: SIGUSR1 blocks the event loop, SIGUSR2 a thread of its pool.

What is planted is said to NOTIFY_SOCKET, so that a test knows from when on nothing may come.
"""

import asyncio
import os
import signal
import threading
import time

from daemon.cli.main import main
from daemon.service_notifier import ServiceNotifier

manager = ServiceNotifier(os.environ["NOTIFY_SOCKET"])


def block(*_: object) -> None:
    manager._send("X_PLANTED=loop")
    while True:
        time.sleep(3600)


def wedge(*_: object) -> None:
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    manager._send("X_PLANTED=thread")


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, block)
    signal.signal(signal.SIGUSR2, wedge)
    main()
