"""How long a run takes beyond its physics: record complete to result published, and armed again.

A simulated bench in real time, a real mosquitto, bench and daemon on two threads of this process. The ratios are
against the record's own length in the same run: what is not measuring should be small beside what is.

    python benchmarks/run_latency.py [--runs 20]
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import Stage, stage_of
from tests.mosquitto import MosquittoBroker, mosquitto_path

TIME_SCALE = 1.0
RECORD_S, PRETRIGGER_S = 2.0, 0.2
BATCHES = [(0.15, 0.005)] * 8
LONG = [(0.15, 0.005)] * 40


async def main(runs: int) -> None:
    """Measure, then print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = MosquittoBroker(folder)
        broker.start()
        try:
            with SimulatedBenchThread(WorldSettings(seed=1, time_scale=TIME_SCALE)) as bench:
                async with stage_of(bench, broker.port, folder / "data") as stage:
                    published_ms = [await _published_ms(stage, f"run-{number}") for number in range(runs)]
                    again_ms = await _armed_again_ms(stage, captures=4)
        finally:
            broker.stop()
    _row("record complete to result published", published_ms, bound_ms=300)
    _row("armed again, beyond the pre-trigger time", again_ms, bound_ms=150)


async def _published_ms(stage: Stage, run_id: str) -> float:
    """From the moment at which the daemon saw the record complete to the result's arrival at another client."""
    await stage.run(run_id, BATCHES)
    arrived_ns = stage.result_arrived_ns[run_id]
    entry = next(e for e in stage.daemon.store.journal(run_id) if e.event == "captured")
    return (arrived_ns - entry.detail["complete_monotonic_ns"]) / 1e6


async def _armed_again_ms(stage: Stage, *, captures: int) -> list[float]:
    run_id = "long"
    await stage.request(run_id, captures=captures)
    await stage.state(run_id, "armed")
    playing = asyncio.create_task(stage.marker.play(LONG * 2))
    await stage.state(run_id, "captured")
    await stage.finish(run_id, LONG)
    await playing
    journal = stage.daemon.store.journal(run_id)
    complete_ns = [e.detail["complete_monotonic_ns"] for e in journal if e.event == "captured"]
    armed_ns = [e.detail["armed_monotonic_ns"] for e in journal if e.event == "armed"]
    pairs = zip(complete_ns[:-1], armed_ns[1:], strict=True)
    return [(armed - complete) / 1e6 - 1e3 * PRETRIGGER_S / TIME_SCALE for complete, armed in pairs]


def _row(what: str, values_ms: list[float], *, bound_ms: float) -> None:
    median, worst = statistics.median(values_ms), max(values_ms)
    ratio = median / (1e3 * RECORD_S / TIME_SCALE)
    print(f"{what:45s} median {median:7.1f} ms  worst {worst:7.1f} ms  bound {bound_ms:g} ms  {ratio:6.1%} of a record")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    if mosquitto_path() is None:
        sys.exit("mosquitto is not installed (apt install mosquitto)")
    asyncio.run(main(parser.parse_args().runs))
