"""Run a campaign on a simulated bench, and write its report: broker (mosquitto), instruments, daemon, board.

    python examples/campaigns/simulated_campaign.py examples/campaigns/fourteen.toml --out fourteen

The networks really infer on this computer, so times and memory are real. The board's current is simulated: this script
tells the simulated world how much each run draws (`relative_draw`). Call it again to go on after an interruption.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt

from daemon.demo.children import Child
from daemon.demo.demonstration import inference_threads
from runners.networks.catalogue import NETWORKS

BENCH, BOARD = "simulated", "board"
CONFIGURATION = """# Written for a simulated campaign. The bench is gone; its runs can be listed, shown and reported.
[bench]
name = "{bench}"
[mqtt]
host = "127.0.0.1"
port = {port}
[oscilloscope]
resource = "{oscilloscope}"
current_scale_a_per_div = 0.2
current_offset_a = 0.6
[power_supply]
resource = "{power_supply}"
gpib_adapter = "{gpib_adapter}"
max_voltage_v = 20.0
max_current_a = 2.2
[runs]
finished_timeout_s = 300.0
[storage]
directory = "."
min_free_bytes = 50_000_000
[calibration]
directory = "certificates"
missing = "accept"   # simulated instruments have no certificates; their declared limits are the uncertainty
"""
MACS_PER_BYTE = 10.0
"""Multiply-accumulates that a byte of parameters must feed before the arithmetic, not the memory, is what is busy."""
SPECS = {spec.name: spec for spec in NETWORKS}


def relative_draw(network: str, batch_size: int) -> float:
    """Return what a run draws above idle, as a multiple of the simulated board's own; assumed, not measured.

    A network that waits for its parameters draws up to an eighth less than one whose arithmetic is always busy: the
    roofline of Williams, Waterman and Patterson (Commun. ACM 52 (2009) 65) with a soft knee. Fully connected layers
    make it wait.
    """
    spec = SPECS[network]
    macs_per_byte = batch_size * spec.macs / (4 * spec.params)
    return 0.90 + 0.12 * macs_per_byte / (macs_per_byte + MACS_PER_BYTE)


async def play_draw(port: int, marker_url: str) -> None:
    """Tell the world the draw of every run that is requested."""
    host, _, marker_port = marker_url.removeprefix("tcp://").rpartition(":")
    answers, wire = await asyncio.open_connection(host, int(marker_port))
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(f"joulebench/v1/{BENCH}/boards/+/runs/+/request", qos=1)
        async for message in client.messages:
            request = json.loads(bytes(message.payload))
            wire.write(f"draw {relative_draw(request['network'], request['batch_size']):.6f}\n".encode())
            if (answer := await answers.readline()) != b"ok\n":
                raise RuntimeError(f"the simulated bench answered {answer!r}")


async def perform(plan: Path, out: Path, scripted: str | None) -> int:
    """Run the campaign and report on it; return the exit status."""
    async with AsyncExitStack() as stack:
        port = await start_broker(stack)
        ready_file = out / "ready.json"
        ready_file.unlink(missing_ok=True)
        serve = ["simulate", "--seed", "1", "--errors", "datasheet", "--ready-file", str(ready_file)]
        bench = await stack.enter_async_context(Child("simulated bench", serve, out / "bench.log"))
        ready = await bench.ready_document(ready_file)
        config = out / "bench.toml"
        config.write_text(CONFIGURATION.format(bench=BENCH, port=port, **ready), encoding="utf-8")
        await stack.enter_async_context(Child("daemon", ["daemon", "--config", str(config)], out / "daemon.log"))
        board = [
            "board", "serve", "--broker", f"mqtt://127.0.0.1:{port}", "--bench", BENCH, "--board", BOARD,
            "--marker", ready["marker"],
        ]  # fmt: skip
        board += ["--scripted", scripted] if scripted else ["--threads", str(inference_threads())]
        await stack.enter_async_context(Child("board", board, out / "board.log"))
        async with asyncio.TaskGroup() as tasks:
            draw = tasks.create_task(play_draw(port, ready["marker"]))
            state = ["--state", str(out)]
            status = await verb("campaign", "run", str(plan), "--config", str(config), "--board", BOARD, *state)
            draw.cancel()
    return status or await verb("report", "--directory", str(out), "--out", str(out / "report"))


async def start_broker(stack: AsyncExitStack) -> int:
    """Start mosquitto on a free port of the loopback interface, and return the port once it listens."""
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit("mosquitto is not installed; `apt install mosquitto`, then the same command again")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = await asyncio.create_subprocess_exec(program, "-p", str(port), stderr=asyncio.subprocess.DEVNULL)
    stack.callback(process.terminate)
    for _ in range(100):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return port
        await asyncio.sleep(0.05)  # another program offers no event to wait for
    raise SystemExit(f"mosquitto did not listen on port {port} within 5 s; start it by hand to see why")


async def verb(*arguments: str) -> int:
    """Run a `joulebench` command, its output for all to see."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "daemon.cli.main", *arguments, env=os.environ)
    return await process.wait()


def main() -> int:
    """Read the command line, and perform."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("plan", type=Path, help="the campaign (TOML)")
    parser.add_argument("--out", type=Path, required=True, help="folder for captures, database, logs and report")
    parser.add_argument("--scripted", metavar="BATCH_S,GAP_S", help="play declared batches instead of inference")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    return asyncio.run(perform(arguments.plan.absolute(), arguments.out.absolute(), arguments.scripted))


if __name__ == "__main__":
    raise SystemExit(main())
