"""A real PostgreSQL server of a test session's own: free port, own folder, a fresh database for each who asks."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from itertools import count
from pathlib import Path
from typing import IO, Any

from sqlalchemy import create_engine, text

from daemon.database import open_database
from daemon.tables import metadata, schema_version

START_DEADLINE_S = 60
"""Starting takes half a second, and several on a busy machine."""
OWNER = "joulebench"
ENCRYPTED = "encrypted"
"""A user whom the server lets in by TLS alone."""
GUARDED, PASSWORD = "guarded", "kept:from@the/log"
"""A user whom the server lets in with a password alone; the signs in it have a meaning in a URL."""
_ACCESS = f"""\
hostssl all {ENCRYPTED} 127.0.0.1/32 trust
host all {ENCRYPTED} 127.0.0.1/32 reject
host all {GUARDED} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
# What a power cut would lose is of no interest here; sockets in a folder could have too long a name.
_SETTINGS = """\
fsync = off
full_page_writes = off
shared_buffers = 16MB
max_wal_size = 64MB
autovacuum = off
deadlock_timeout = 50ms
ssl = on
unix_socket_directories = ''
listen_addresses = '127.0.0.1'
"""


def postgresql_folder() -> Path | None:
    """Return the folder of the server's programs; None where it is not installed. Debian keeps it off every PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
    for folder in [*reversed(versions), *(Path(one) for one in os.environ.get("PATH", "").split(":"))]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


class PostgresqlServer:
    """One server on one port of the loopback interface; it keeps port and data over a restart."""

    def __init__(self, folder: Path) -> None:
        programs = postgresql_folder()
        assert programs is not None, "PostgreSQL is not installed"
        self.port = _free_port()
        self._programs, self._folder, self._data = programs, folder, folder / "data"
        self._names = count(1)
        self._standing: str | None = None
        self._bare: str | None = None
        self._guards = False
        self._as_user = _unprivileged(folder)
        self._run(
            "initdb", "--pgdata", self._data, "--username", OWNER, "--no-sync", "--encoding", "UTF8", "--locale", "C"
        )
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS + f"port = {self.port}\n")
        (self._data / "pg_hba.conf").write_text(_ACCESS)
        self.certificate = self._data / "server.crt"
        """The server's certificate, for `localhost`; it is its own authority."""
        self._certify()

    def _certify(self) -> None:
        key = (
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            self._data / "server.key",
        )
        name = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2")
        self._run(Path("openssl"), "req", "-x509", *key, *name, "-out", self.certificate)

    def start(self) -> None:
        """Start, and return once the server takes connections."""
        self._control("start", "--log", self._folder / "log")

    def stop(self, *, kill: bool = False) -> None:
        """Stop: sessions are ended and data are written; or at once (`kill`), as a power cut would."""
        if self.pid is None:
            return
        if kill:
            self._control("stop", "--mode", "immediate")
        else:
            self._control("stop", "--mode", "fast")

    def freeze(self) -> None:
        """Have the server and all its sessions answer nothing until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have it go on."""
        self._signal(signal.SIGCONT)

    @property
    def pid(self) -> int | None:
        """Process of the server; None while it is stopped."""
        try:
            return int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except FileNotFoundError:
            return None

    def url(self, database: str = "postgres", *, user: str = OWNER) -> str:
        """Return the URL of a database, without a password; each connection would try to be encrypted in vain."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def new_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"joulebench_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def bare_database(self) -> str:
        """Return the URL of the one database whose tables are dropped for each who asks."""
        if self._bare is None:
            self._bare = self.new_database()
        name = database_of(self._bare)
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        self.execute("DROP SCHEMA public CASCADE", database=name)
        self.execute("CREATE SCHEMA public", database=name)
        return self._bare

    def emptied_database(self) -> str:
        """Return the URL of the one database whose tables are made once; a fifth of the time of a new one."""
        if self._standing is None:
            self._standing = self.new_database()
            open_database(self._standing, create=True).dispose()
        names = ", ".join(one.name for one in metadata.sorted_tables if one is not schema_version)
        self.execute(f"TRUNCATE {names}", database=database_of(self._standing))
        return self._standing

    def add_encrypted_user(self) -> None:
        """Make the user who needs TLS, once."""
        self.execute(f"DROP ROLE IF EXISTS {ENCRYPTED}")
        self.execute(f"CREATE ROLE {ENCRYPTED} LOGIN")

    def add_guarded_user(self) -> None:
        """Make the user who needs a password, once."""
        if not self._guards:
            quoted = PASSWORD.replace("'", "''").replace(":", "\\:")
            self.execute(f"CREATE ROLE {GUARDED} LOGIN SUPERUSER PASSWORD '{quoted}'")
            self._guards = True

    def run_script(self, script: Path, *, url: str) -> None:
        """Run the statements of a file in one transaction."""
        # The content by standard input: the server's user may not read where it lies.
        arguments = ("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", url)
        with script.open("rb") as statements:
            self._run(*arguments, stdin=statements)

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement as the owner of everything, outside any transaction."""
        url = f"postgresql+pg8000://{OWNER}@127.0.0.1:{self.port}/{database}"
        arguments = {"timeout": START_DEADLINE_S, "ssl_context": False}
        engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args=arguments)
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    def _control(self, what: str, *arguments: object) -> None:
        self._run(
            "pg_ctl", what, "--pgdata", self._data, "--wait", "--timeout", START_DEADLINE_S, "--silent", *arguments
        )

    def _run(self, program: str | Path, *arguments: object, stdin: IO[bytes] | int = subprocess.DEVNULL) -> None:
        # To files, not pipes: the server that pg_ctl leaves behind would hold a pipe open.
        with (self._folder / f"{program}.log").open("ab") as log:
            path = self._programs / program if isinstance(program, str) else program
            command = [str(path), *map(str, arguments)]
            done = subprocess.run(
                command, stdin=stdin, stdout=log, stderr=log, check=False, cwd=self._folder, **self._as_user
            )
        if done.returncode:
            logs = [one.read_text(errors="replace")[-2000:] for one in sorted(self._folder.glob("*log"))]
            raise RuntimeError(f"{program} ended with {done.returncode}:\n" + "\n".join(logs))

    def _signal(self, number: signal.Signals) -> None:
        assert self.pid is not None, "the server is stopped"
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for process in (self.pid, *map(int, children)):
            os.kill(process, number)


def database_of(url: str) -> str:
    """Return the name of the database that a URL of these leads to."""
    return url.rpartition("/")[2].partition("?")[0]


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Return how to start a program as one who may run a server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = next(one for one in pwd.getpwall() if one.pw_name in ("postgres", "nobody"))
    shutil.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
