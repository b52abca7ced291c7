"""Acting: on whose behalf something is done to an instrument, for the audit log; it follows tasks and threads."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

MOST_WORDS = 3
"""So many words of the command line say which program acts: `joulebench calibrate zero`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts."""

    program: str | None = None
    """Program or verb, such as `joulebench daemon`; None: as the command line says."""
    run_id: str | None = None
    """The run for which it acts; None outside of one."""
    procedure: str | None = None
    """The calibration for which it acts; None outside of one."""
    reason: str | None = None
    """Why, where that is not plain, such as a policy's name."""

    def document(self) -> dict[str, Any]:
        """Return it with process and user, without what is None."""
        told = {"program": self.program or _command(), "pid": os.getpid(), "user": _user()}
        more = {"run_id": self.run_id, "procedure": self.procedure, "reason": self.reason}
        return told | {name: value for name, value in more.items() if value is not None}


_ACTOR: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 - it is frozen


def actor() -> Actor:
    """Return who acts in this task."""
    return _ACTOR.get()


@contextmanager
def acting(**changes: str | None) -> Iterator[None]:
    """Tell who acts meanwhile; what is not named stays. Tasks that are begun meanwhile, and threads, go on with it."""
    token = _ACTOR.set(replace(_ACTOR.get(), **changes))
    try:
        yield
    finally:
        _ACTOR.reset(token)


def act(**changes: str | None) -> None:
    """Tell who acts for the rest of this task."""
    _ACTOR.set(replace(_ACTOR.get(), **changes))


def _command() -> str:
    words = [Path(sys.argv[0]).name or "python"]
    for word in sys.argv[1:MOST_WORDS]:
        if not word.isidentifier():  # an option, a file, a value: no verb, and perhaps a secret
            break
        words.append(word)
    return " ".join(words)


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
