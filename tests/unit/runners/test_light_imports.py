"""What a small board need not have: importing the runners takes neither torch nor numpy."""

import json
import subprocess
import sys

LIGHT = """
import sys
for name in ("torch", "numpy", "gpiod", "pyvisa", "instruments", "daemon"):
    sys.modules[name] = None  # importing it raises from here on
import runners.agent, runners.asyncapi, runners.markers, runners.messages, runners.topics
import runners.networks.catalogue, runners.networks.paper, runners.scripted_workload, runners.workload
print("light")
"""


def test_the_board_side_imports_without_torch_and_numpy():
    finished = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert finished.stdout == "light\n", finished.stderr


LAB = ("pyvisa", "pyvisa_py", "GTC", "pyarrow", "sqlalchemy", "pydantic_settings", "pandas", "prometheus_client")
BOARD_ALONE = f"""
import sys
for name in {LAB!r}:
    sys.modules[name] = None  # importing it raises from here on
from daemon.cli.main import main
sys.argv = ["joulebench", *sys.argv[1:]]
main()
"""


def board_alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BOARD_ALONE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_boards_verbs_need_nothing_of_the_laboratory():
    finished = board_alone("board", "marker", "--marker", "none", "--pulses", "3", "--json")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["pulses"] == 3


def test_a_verb_of_the_laboratory_says_what_to_install():
    finished = board_alone("runs", "list", "--directory", "nowhere")
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
    assert 'pip install "joulebench[lab]"' in finished.stderr
