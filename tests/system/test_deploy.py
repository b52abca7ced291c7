"""What is deployed: units that systemd takes and finds well confined, scripts that install twice as well as once."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.lab_processes import REPOSITORY

pytestmark = pytest.mark.system
DEPLOY = REPOSITORY / "deploy"
UNITS = ("joulebench-daemon@.service", "joulebench-board.service")
EXPOSURE = {"joulebench-daemon@.service": 1.6, "joulebench-board.service": 2.0}
"""Highest exposure by `systemd-analyze security`, of 10; docs/how-to/install-a-lab.md says what it finds fault with."""
SCRIPTS = ("install-lab", "install-board", "install-steps")
BROKER = () if (DEPLOY / "mosquitto").is_dir() else ("--no-broker",)
LAB = ("install-lab", "--bench", "bench-7", *BROKER)
BOARD = ("install-board", "--bench", "bench-7", "--board", "jetson", "--broker", "mqtts://jetson@lab?ca=/etc/ca.crt")

PYTHON = """#!/bin/sh
# Stands for Python: makes a virtual environment of itself, and notes down what it is to install.
case "$2" in
    venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    pip)
        echo "$@" >>"$(dirname "$0")/../installed"
        printf '#!/bin/sh\\necho joulebench 9.9\\n' >"$(dirname "$0")/joulebench"
        chmod +x "$(dirname "$0")/joulebench"
        ;;
esac
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    path = tmp_path / "python"
    path.write_text(PYTHON)
    path.chmod(0o755)
    return path


def tool(name: str) -> str:
    """Return a program's path; skips where it is not installed, which the gate does not allow."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def install(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin"}
    command = [str(DEPLOY / script), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def installed(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    done = install(script, *options)
    assert done.returncode == 0, done.stderr
    return done


def tree(root: Path) -> dict[str, tuple[str, int]]:
    """Return each file below a root, without those of releases, with its content and its rights."""
    files = [path for path in root.rglob("*") if path.is_file() and "releases" not in path.parts]
    return {str(path.relative_to(root)): (path.read_text(), path.stat().st_mode & 0o777) for path in sorted(files)}


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit_and_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    """The program that it starts is put in its place: verification wants to see it."""
    unit = tmp_path / name
    text = (DEPLOY / "systemd" / name).read_text()
    assert "/opt/joulebench/venv/bin/joulebench" in text
    unit.write_text(text.replace("/opt/joulebench/venv/bin/joulebench", "/bin/true"))
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "joulebench" in line]
    assert (done.returncode, said) == (0, [])


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_is_well_confined(name: str) -> None:
    done = subprocess.run(
        [tool("systemd-analyze"), "security", "--offline=yes", "--no-pager", str(DEPLOY / "systemd" / name)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE[name], done.stdout


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_says_what_the_daemon_goes_by(name: str) -> None:
    lines = (DEPLOY / "systemd" / name).read_text().splitlines()
    for line in ("Type=notify", "NotifyAccess=main", "WatchdogSec=60", "Restart=on-failure", "StartLimitIntervalSec=0"):
        assert line in lines
    stop_s = next(int(line.removeprefix("TimeoutStopSec=")) for line in lines if line.startswith("TimeoutStopSec="))
    assert stop_s >= 60


@pytest.mark.long
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_shell_has_nothing_to_say_of_the_script(name: str) -> None:
    done = subprocess.run(
        [tool("shellcheck"), "-x", "-P", str(REPOSITORY), str(DEPLOY / name)],
        capture_output=True, text=True, timeout=60, check=False, cwd=REPOSITORY,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("script", [LAB, BOARD])
def test_a_dry_run_writes_nothing(script: tuple[str, ...], tmp_path: Path) -> None:
    root = tmp_path / "root"
    done = installed(*script, "--dry-run", "--root", str(root))
    assert not root.exists()
    said = done.stdout + done.stderr
    for word in ("-m venv", "systemctl daemon-reload", "useradd", "/etc/udev/rules.d/"):
        assert word in said
    assert said.rstrip().endswith("a dry run: nothing was done")
    assert "installed. Now" not in said


def test_nothing_is_begun_without_being_told_which_bench(tmp_path: Path) -> None:
    done = install("install-lab", "--root", str(tmp_path / "root"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "install-lab --bench NAME" in done.stderr
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    "script", ["install-lab", "install-board", "mosquitto/make-password", "mosquitto/make-certificates"]
)
def test_each_script_tells_what_it_does_when_asked(script: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [DEPLOY / script, "--help"], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert done.returncode == 0
    assert script.rpartition("/")[2] in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_dry_run_for_the_computer_itself_names_the_packages(tmp_path: Path) -> None:
    done = installed(*LAB, "--dry-run")
    assert "would run: systemctl enable joulebench-daemon@bench-7" in done.stdout
    assert "would run: install -D -m 644" in done.stdout


def test_a_laboratory_is_installed_and_upgraded(python: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    options = ("--root", str(root), "--python", str(python))
    installed(*LAB, *options)
    first, release = tree(root), (root / "opt/joulebench/venv").resolve()
    told = (release / "installed").read_text()
    assert f"--constraint {REPOSITORY}/constraints.txt {REPOSITORY}[postgresql]" in told
    assert "instrument-requirements.txt" in told
    config = first["etc/joulebench/bench-7.toml"]
    assert 'name = "bench-7"' in config[0]
    assert 'host = "127.0.0.1"' in config[0]
    assert "password_file" not in config[0]
    assert config[1] == 0o640
    assert {"etc/systemd/system/joulebench-daemon@.service", "etc/udev/rules.d/60-joulebench-instruments.rules"} <= set(
        first
    )
    edited = root / "etc/joulebench/bench-7.toml"
    edited.write_text("# edited by hand\n")
    installed(*LAB, *options)
    second, newer = tree(root), (root / "opt/joulebench/venv").resolve()
    assert second.pop("etc/joulebench/bench-7.toml")[0] == "# edited by hand\n"
    first.pop("etc/joulebench/bench-7.toml")
    assert second == first, "passwords too: a second run changes none"
    assert newer != release
    assert release.is_dir(), "what runs meanwhile goes on from it"
    installed(*LAB, *options)
    assert not release.exists()
    assert newer.is_dir()


def test_each_installed_bench_has_a_configuration_with_which_its_daemon_starts(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the unit loads it: with the broker's password in a file that a variable names, and no other way to log in."""
    from daemon.configuration import load_configuration

    root = tmp_path / "root"
    installed(*LAB, "--root", str(root), "--python", str(python))
    password = tmp_path / "mqtt-password"
    password.write_text("a secret\n")
    password.chmod(0o400)
    monkeypatch.setenv("JOULEBENCH_MQTT__PASSWORD_FILE", str(password))
    configuration = load_configuration(root / "etc/joulebench/bench-7.toml")
    address = configuration.mqtt.address()
    assert configuration.bench.name == "bench-7"
    assert (address.host, address.port, address.tls) == ("127.0.0.1", 1883, None)
    assert (address.username, address.password) == ("joulebench-daemon", "a secret")
    assert configuration.storage.directory == Path("/var/lib/joulebench/bench-7"), "two benches share no folder"
    assert configuration.calibration.directory == Path("/var/lib/joulebench/bench-7/certificates")
    assert (root / "var/lib/joulebench").stat().st_mode & 0o777 == 0o750


def test_rights_that_were_edited_are_not_lost_to_an_upgrade(python: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    options = ("--root", str(root), "--python", str(python))
    installed(*LAB, *options)
    acl = root / "etc/mosquitto/joulebench/acl"
    acl.write_text("# narrower\n")
    assert "acl.before" in installed(*LAB, *options).stderr
    assert acl.with_name("acl.before").read_text() == "# narrower\n"
    assert acl.read_text() == (DEPLOY / "mosquitto" / "acl").read_text()


def test_without_a_broker_the_password_is_left_to_be_put_in(python: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    installed("install-lab", "--bench", "bench-1", "--no-broker", "--root", str(root), "--python", str(python))
    files = tree(root)
    assert files["etc/joulebench/broker/clients/joulebench-daemon/password"] == ("", 0o600)
    assert not [path for path in files if "mosquitto" in path]


def test_a_board_is_installed_and_upgraded(python: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    options = ("--root", str(root), "--python", str(python), "--marker", "gpio:/dev/gpiochip0:17")
    installed(*BOARD, *options)
    first = tree(root)
    told = ((root / "opt/joulebench/venv").resolve() / "installed").read_text()
    assert f"{REPOSITORY}[board]" in told
    settings = first["etc/joulebench/board.env"][0].splitlines()
    credential = "/run/credentials/joulebench-board.service/mqtt-password"
    assert f"BROKER=mqtts://jetson@lab?ca=/etc/ca.crt&password_file={credential}" in settings
    assert {"BENCH=bench-7", "BOARD=jetson", "MARKER=gpio:/dev/gpiochip0:17", "OPTIONS="} <= set(settings)
    assert first["etc/joulebench/board-password"] == ("", 0o600)
    installed(*BOARD, *options)
    assert tree(root) == first


@pytest.mark.parametrize(
    ("script", "options", "sentence"),
    [
        ("install-lab", ("--bench", "no spaces"), "a name has 1 to 64 characters"),
        ("install-lab", ("--frobnicate",), "install-lab --bench NAME"),
        ("install-lab", ("--bench", "b", "--python", "/bin/false", "--dry-run"), "is not Python 3.11 or newer"),
        ("install-board", ("--bench", "b", "--board", "j", "--broker", "lab"), "mqtt://HOST or mqtts://HOST"),
        ("install-board", ("--bench", "b", "--board", "j", "--broker", "mqtt://j:pw@lab"), "leave the password out"),
        ("install-board", ("--bench", "b"), "--bench and --board"),
    ],
)
def test_what_makes_no_sense_is_refused(script: str, options: tuple[str, ...], sentence: str) -> None:
    done = install(script, *options)
    assert done.returncode in (1, 2)
    assert sentence in done.stderr


@pytest.mark.long
def test_an_installation_that_breaks_leaves_the_one_before(python: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    options = ("--root", str(root), "--python", str(python))
    installed(*BOARD, *options)
    before = (root / "opt/joulebench/venv").resolve()
    python.write_text(PYTHON.replace("chmod +x", "exit 1; chmod +x"))
    assert install(*BOARD, *options).returncode == 1
    assert (root / "opt/joulebench/venv").resolve() == before
    python.write_text(PYTHON)
    installed(*BOARD, *options)
    assert len(list((root / "opt/joulebench/releases").iterdir())) == 2


@pytest.mark.long
def test_the_page_says_how_to_take_away_what_was_installed(python: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    for script in (LAB, BOARD):
        installed(*script, "--root", str(root), "--python", str(python))
    page = (REPOSITORY / "docs" / "how-to" / "install-a-lab.md").read_text().split("## Take it away")[1]
    removed = re.findall(r"/(?:etc|opt|var)/[^\s`]+", page.split("```sh\n")[1].split("```")[0])
    patterns = [re.escape(one.rstrip("/")).replace(r"\*", "[^/]*") for one in removed]
    left = [path for path in tree(root) if not any(re.match(f"{one}(/|$)", f"/{path}") for one in patterns)]
    assert left == []
