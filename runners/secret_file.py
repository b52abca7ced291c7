"""Secret file: a file that holds a password or a key, read only where nobody else can read it."""

import os
import stat
from pathlib import Path

_OTHERS = stat.S_IROTH | stat.S_IWOTH


def check_secret(path: Path) -> None:
    """Refuse a file that every user of this computer can read or write; its group may, as a service's group does.

    Raises:
        OSError: the file is not there, or is open to everybody; the text says which and what to do.
    """
    mode = path.stat().st_mode
    if os.name == "posix" and mode & _OTHERS:
        raise PermissionError(
            f"{path} is open to every user of this computer (mode {stat.S_IMODE(mode):04o}), and holds a secret: "
            f"chmod o-rwx {path}; then take another secret, since this one may be known"
        )


def read_secret(path: Path) -> str:
    """Return the first line of a file that holds a password.

    Raises:
        OSError: it cannot be read, is open to everybody, or holds none.
    """
    check_secret(path)
    try:
        secret = path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        # The error itself would show the bytes around the place.
        raise OSError(f"{path} is not UTF-8 text") from None
    if not secret:
        raise OSError(f"the first line of {path}, which should be the password, is empty")
    return secret
