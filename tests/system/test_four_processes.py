"""mosquitto, simulator, daemon and board as separate processes, as in a lab."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.demo.demonstration import true_gross_energy_per_image_j
from instruments.simulated.truth import TruthClient
from tests.mosquitto import MosquittoBroker
from tests.system.lab_processes import REPOSITORY, lab_of

pytestmark = [pytest.mark.mosquitto, pytest.mark.system, pytest.mark.timeout(240)]


@pytest.mark.long
@pytest.mark.alone
def test_the_lab_commands_a_real_network_and_reads_its_energy(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "4")
        lab.daemon()
        agent = lab.agent()
        agent.says("serves bench")
        checked = lab.run("check", "--config", str(lab.config), "--json")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert json.loads(checked.stdout)["ok"]
        done = lab.run(
            "runs", "start", "--config", str(lab.config), "--board", "jetson", "--network", "alexnet",
            "--captures", "2", "--json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        with TruthClient(lab.ready["truth"]) as truth:
            true_j = true_gross_energy_per_image_j(truth.acquisitions(), result["batch_size"])
        listed = json.loads(lab.run("runs", "list", "--config", str(lab.config), "--json").stdout)
        shown = json.loads(lab.run("runs", "show", result["run_id"], "--config", str(lab.config), "--json").stdout)
        assert lab.stop() == [0, 0, 0]
    assert result["quality"] == "valid", result["reasons"]
    assert result["captures"] == 2
    assert result["gross_energy_per_image_j"]["value"] == pytest.approx(true_j, rel=1e-3)
    assert [run["run_id"] for run in listed["runs"]] == [result["run_id"]]
    assert len(shown["captures"]) == 2
    assert shown["results"][0]["gross_energy_per_image_j"] == result["gross_energy_per_image_j"]


def test_a_board_asks_for_a_run_by_itself(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "5", "--time-scale", "5")
        lab.daemon()
        done = lab.run(
            "board", "run", *lab.board_options(), "--network", "resnet18", "--batch-size", "4",
            "--images", "32", "--scripted", "0.2,0.005,8", "--json",
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"valid"' in done.stdout


def test_a_shell_script_is_a_board_too(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    """The documented example: mosquitto_pub and mosquitto_sub alone, no Python on the board."""
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "6")
        lab.daemon()
        settings = {
            "BROKER_PORT": str(mosquitto_broker.port),
            "BENCH": "sys",
            "BOARD": "shell",
            "MARKER": lab.ready["marker"],
            "NETWORK": "resnet18",
            "BATCH_SIZE": "2",
            "BATCHES": "12",
        }
        done = subprocess.run(
            ["bash", str(REPOSITORY / "examples" / "boards" / "board.sh"), "sleep", "0.1"],
            capture_output=True, text=True, timeout=90, env=os.environ | settings, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        result = json.loads(done.stdout.strip().splitlines()[-1])
        with TruthClient(lab.ready["truth"]) as truth:
            true_j = true_gross_energy_per_image_j(truth.acquisitions(), 2)
    assert result["quality"] == "valid", result["reasons"]
    assert result["board"] == "shell"
    assert result["gross_energy_per_image_j"]["value"] == pytest.approx(true_j, rel=1e-3)


BATCHES = {"NETWORK": "resnet18", "BATCH_SIZE": "2", "BATCHES": "12"}


@pytest.mark.long
def test_a_board_in_c_and_one_with_an_old_python_are_boards_too(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    """The documented examples, one after the other on one bench; JOULEBENCH_OLD_PYTHON as in their own tests."""
    boards = REPOSITORY / "examples" / "boards"
    (tmp_path / "mine.py").write_text("import time\ndef infer():\n    time.sleep(0.1)\n")
    make = ["make", "-s", "-C", str(boards), f"OUT={tmp_path / 'board'}"]
    built = subprocess.run(make, capture_output=True, text=True, timeout=60, check=False)
    if built.returncode:
        pytest.skip(f"examples/boards/board.c cannot be built here: {built.stderr}")
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "7")
        lab.daemon()
        python = os.environ.get("JOULEBENCH_OLD_PYTHON", sys.executable)
        where = ["--port", str(mosquitto_broker.port), "--bench", "sys", "--marker", lab.ready["marker"]]
        what = ["--network", "resnet18", "--batch-size", "2", "--images", "24"]
        commands = {
            "c": [str(tmp_path / "board")],
            "python": [python, str(boards / "joulebench_board.py"), "mine:infer", *where, *what, "--board", "python"],
        }
        settings = {"BROKER_PORT": str(mosquitto_broker.port), "BENCH": "sys", "MARKER": lab.ready["marker"]}
        environment = os.environ | settings | BATCHES | {"PYTHONPATH": str(tmp_path)}
        for name, command in commands.items():
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
            assert done.returncode == 0, done.stderr
            result = json.loads(done.stdout.strip().splitlines()[-1])
            with TruthClient(lab.ready["truth"]) as truth:
                true_j = true_gross_energy_per_image_j(truth.acquisitions()[-1:], 2)
            assert result["quality"] == "valid", result["reasons"]
            assert (result["board"], result["batches"]) == (name, 12)
            assert result["gross_energy_per_image_j"]["value"] == pytest.approx(true_j, rel=1e-3)


def test_the_check_lists_every_failure_at_once(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.ready = {
            "oscilloscope": "TCPIP0::127.0.0.1::9::SOCKET",
            "power_supply": "GPIB0::5::INSTR",
            "gpib_adapter": "PRLGX-TCPIP0::127.0.0.1::9::INTFC",
        }
        lab.config.write_text(lab._configuration())
        mosquitto_broker.stop()
        with socket.socket() as nobody:  # another broker must not find the port free meanwhile
            nobody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            nobody.bind(("127.0.0.1", mosquitto_broker.port))
            checked = lab.run("check", "--config", str(lab.config), "--json")
    document = json.loads(checked.stdout)
    assert checked.returncode == 1
    failed = {one["part"] for one in document["checks"] if not one["ok"]}
    assert {"oscilloscope", "gpib_adapter", "broker"} <= failed
    assert all(one["text"] for one in document["checks"])


@pytest.mark.long
def test_a_configuration_with_mistakes_names_them_all(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('[bench]\nname = "no spaces"\nnmae = "x"\n[oscilloscope]\nresource = "nonsense"\n')
    with lab_of(None, tmp_path) as lab:  # type: ignore[arg-type]
        done = lab.run("daemon", "--config", str(bad))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for key in ("bench.name", "bench.nmae", "oscilloscope.resource", "power_supply"):
        assert key in done.stderr, done.stderr
