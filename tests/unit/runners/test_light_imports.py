"""What a small board need not have: importing the runners takes neither torch nor numpy."""

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
