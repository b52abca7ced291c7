"""A campaign of all fourteen networks at batch 1 and four of them at 1, 2, 4 and 8, interrupted three times.

Real torch on this computer's CPU, the simulated bench at the pace of real time, mosquitto, and every part a process of
its own. The agent, the daemon and the campaign's own process are killed (SIGKILL) once each while a run is measured,
and started again. At the end every planned run must be in the database exactly once as done.

    python -m benchmarks.slow.campaign [FOLDER]
"""

import json
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

from tests.mosquitto import MosquittoBroker
from tests.system.lab_processes import LabProcesses, Process, lab_of

CAMPAIGN = """
name = "fourteen"
seed = 5
order = "blocked"

[[sweep]]
networks = "all"

[[sweep]]
networks = ["alexnet", "resnet18", "enet", "googlenet"]
batch_sizes = [1, 2, 4, 8]
"""
LIMIT_S = 3600.0
KILLS = {4: "agent", 12: "daemon", 18: "driver"}
"""Number of the run in whose middle a process is killed."""


def main(folder: Path) -> int:
    """Run the campaign in a folder, and return the exit status."""
    file = folder / "fourteen.toml"
    file.write_text(CAMPAIGN)
    (folder / "broker").mkdir()
    broker = MosquittoBroker(folder / "broker")
    broker.start()
    began_s = time.monotonic()
    try:
        with lab_of(broker, folder) as lab:
            lab.simulate("--seed", "5")
            lab.daemon()
            lab.agent("--threads", "1").says("serves bench")
            run_through(lab, file)
            shown = lab.run("campaign", "show", str(file), "--json")
            table = lab.run("campaign", "show", str(file))
    finally:
        broker.stop()
    print(table.stdout)
    return report(json.loads(shown.stdout), folder, time.monotonic() - began_s)


def run_through(lab: LabProcesses, file: Path) -> None:
    """Run the campaign to its end, killing what is to be killed on the way."""
    driver = start(lab, file)
    waiting = dict(KILLS)
    end_s = time.monotonic() + LIMIT_S
    while driver.popen.poll() is None:
        assert time.monotonic() < end_s, driver.log.read_text()
        number = armed_run(file.with_name("fourteen.campaign.jsonl"), driver.log.read_text())
        if (whom := waiting.pop(number, None)) is not None:
            print(f"run {number} is being measured: SIGKILL to the {whom}", flush=True)
            driver = strike(lab, file, driver, whom)
        time.sleep(0.05)  # another process's file offers no event to wait for
    print(driver.log.read_text(), f"exit status {driver.popen.returncode}")
    assert not waiting, f"not killed: {waiting}"


def start(lab: LabProcesses, file: Path) -> Process:
    """Start the campaign, or go on with it."""
    return lab.start("driver", "campaign", "run", str(file), "--config", str(lab.config), "--board", "jetson")


def armed_run(journal: Path, log: str) -> int:
    """Return the number of the run that is being measured just now; 0: none is."""
    commanded, ended = 0, 0
    for line in journal.read_text().splitlines() if journal.exists() else []:
        entry = json.loads(line)
        commanded = entry["index"] if entry["event"] == "commanded" else commanded
        ended = entry["index"] if entry["event"] == "ended" else ended
    return commanded if commanded != ended and log.rstrip().endswith(": armed") else 0


def strike(lab: LabProcesses, file: Path, driver: Process, whom: str) -> Process:
    """Kill a process, start it again, and return the campaign's."""
    victim = next(process for process in reversed(lab._running) if process.name == whom)
    victim.popen.send_signal(signal.SIGKILL)
    victim.popen.wait()
    shutil.copy(victim.log, victim.log.with_suffix(".killed.log"))
    match whom:
        case "agent":
            lab.agent("--threads", "1").says("serves bench")
        case "daemon":
            lab.daemon()
        case _:
            print(victim.log.read_text())
            return start(lab, file)
    return driver


def report(document: dict, folder: Path, took_s: float) -> int:
    """Print what the campaign came to, and hold it against the database."""
    for run in document["runs"]:
        print(
            run["index"],
            run["network"],
            run["batch_size"],
            run["state"],
            run["quality"],
            run["attempts"],
            run["reasons"],
        )
    print(json.dumps({name: document[name] for name in ("counts", "qualities", "idle_power_w", "cool_downs_too_late")}))
    database = sqlite3.connect(folder / "data" / "joulebench.sqlite")
    rows = database.execute("SELECT run_id, state, reason FROM runs").fetchall()
    done = Counter("-".join(run_id.split("-")[:-1]) for run_id, state, _ in rows if state == "done")
    print("not done:", [row for row in rows if row[1] != "done"])
    print(
        f"{len(document['runs'])} runs planned, {len(done)} done, each once: {set(done.values()) == {1}}; "
        f"{took_s:.0f} s in all"
    )
    return 0 if len(done) == len(document["runs"]) and set(done.values()) == {1} else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(mkdtemp(prefix="joulebench-campaign-"))))
