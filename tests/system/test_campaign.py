"""A campaign whose board, daemon, broker and own driver are killed once each in the middle of a run.

Board and daemon are processes of their own, as in a lab; every planned run must be in the database once as done.
"""

import asyncio
import signal
import sqlite3
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.broker_address import BrokerAddress
from runners.campaign.board_executor import BoardExecutor
from runners.campaign.driver import CampaignDriver, CampaignWatcher
from runners.campaign.journal import Journal
from runners.campaign.plan import read_plan
from runners.campaign.progress import CampaignProgress, RunProgress
from tests.mosquitto import MosquittoBroker
from tests.system.lab_processes import LabProcesses, lab_of

pytestmark = [pytest.mark.mosquitto, pytest.mark.system, pytest.mark.timeout(240)]

CAMPAIGN = """
name = "killed"
seed = 3
[cool_down]
period_s = 0.02
[retries]
first_delay_s = 0.05
[[sweep]]
networks = ["alexnet", "vgg16"]
batch_sizes = [1, 2, 4]
"""
VICTIMS = {2: "agent", 3: "daemon", 4: "driver", 5: "broker"}
"""Who is killed while which run is measured."""
SCRIPT = ("--scripted", "0.2,0.005")


class Killer(CampaignWatcher):
    """Kills at the moment at which a run is armed, and starts the victim again."""

    def __init__(self, lab: LabProcesses) -> None:
        self.lab = lab
        self.waiting = dict(VICTIMS)
        self.driver: asyncio.Task[CampaignProgress] | None = None

    def says(self, run: RunProgress, text: str) -> None:
        if text == "armed" and (victim := self.waiting.pop(run.planned.index, None)) is not None:
            getattr(self, f"kill_{victim}")()

    def kill_agent(self) -> None:
        self._kill("agent")
        self.lab.agent(*SCRIPT)

    def kill_daemon(self) -> None:
        self._kill("daemon")
        self.lab.daemon()

    def kill_driver(self) -> None:
        assert self.driver is not None
        self.driver.cancel()

    def kill_broker(self) -> None:
        self.lab.broker.stop(kill=True)
        self.lab.broker.start()

    def _kill(self, name: str) -> None:
        process = next(one for one in reversed(self.lab._running) if one.name == name)
        process.popen.send_signal(signal.SIGKILL)
        process.popen.wait()


async def drive(killer: Killer, file: Path) -> CampaignProgress:
    """Drive the campaign from where it stands; a driver that is killed raises CancelledError."""
    address = BrokerAddress(host="127.0.0.1", port=killer.lab.broker.port)
    with Journal(file.with_suffix(".jsonl")) as journal:
        async with BoardExecutor(address, bench="sys", board="jetson", patience_s=60) as executor:
            driver = CampaignDriver(read_plan(file), journal, executor, watcher=killer)
            killer.driver = asyncio.create_task(driver.run(), name="driver")
            return await killer.driver


@pytest.mark.long
def test_whoever_is_killed_every_planned_run_is_done_once(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    file = tmp_path / "killed.toml"
    file.write_text(CAMPAIGN)
    settings = WorldSettings(seed=3, time_scale=5.0)
    with SimulatedBenchThread(settings) as bench, lab_of(mosquitto_broker, tmp_path) as lab:
        lab.ready = asdict(bench.addresses)
        lab.daemon()
        lab.agent(*SCRIPT)
        killer = Killer(lab)
        with suppress(asyncio.CancelledError):
            asyncio.run(drive(killer, file))
        progress = asyncio.run(drive(killer, file))
        assert killer.waiting == {}
    assert progress.count("done") == len(progress.runs) == 6
    done, others = rows(tmp_path)
    assert Counter(done) == Counter(run.run_id for run in progress.runs), "each planned run stands once as done"
    assert others == {"board_restarted": 1, "daemon_stopped": 1}
    assert [run.attempts for run in progress.runs] == [1, 2, 2, 1, 1, 1], (
        "a run goes on without the campaign's driver, and without the broker, and is not repeated"
    )


def rows(folder: Path) -> tuple[list[str], Counter[Any]]:
    """Return the runs that are done, and how often the others ended for which reason."""
    database = sqlite3.connect(folder / "data" / "joulebench.sqlite")
    found = database.execute("SELECT run_id, state, reason FROM runs").fetchall()
    database.close()
    done = [run_id for run_id, state, _ in found if state == "done"]
    return done, Counter(reason for _, state, reason in found if state != "done")
