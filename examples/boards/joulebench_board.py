#!/usr/bin/env python3
"""A board's side of joulebench in one file, for old Pythons: Python 3.6 or newer, and paho-mqtt 1.x or 2.x.

In a program of one's own:

    from joulebench_board import Run

    with Run(broker="broker.lab.example", bench="lab1", board="tx1", network="resnet18", batch_size=4,
             images_planned=40, marker="sysfs:38") as run:
        while run.wanted:
            with run.batch():
                infer(images)                       # exactly batch_size of them
    print(run.result["gross_energy_per_image_j"])

Entering waits until the bench is armed. Leaving waits for the result; leaving by an exception frees the bench. What
goes wrong is a RunError with a reason code and a text.

As a program, around a function that infers one batch:

    python3 joulebench_board.py --broker broker.lab.example --bench lab1 --board tx1 --network resnet18 --batch-size 4 \
        --images 40 --marker sysfs:38 mymodule:infer_one_batch
"""

import argparse
import contextlib
import importlib
import json
import os
import socket
import statistics
import sys
import threading
import time
import uuid

import paho.mqtt.client as mqtt

LOW_S = 200e-6
"""The record must show the marker low for 60 us between batches; a sleep takes at least as long as it is told."""
MOST_DURATIONS, MOST_STARTS = 4096, 1500
"""What fits into a message."""
EXCHANGES, PONG_TIMEOUT_S = 16, 0.25
"""Clock exchanges before and after a run, and the longest wait for an answer."""
ENDED_BADLY = ("rejected", "failed", "interrupted")
OVER = ENDED_BADLY + ("done",)  # noqa: RUF005  (older Pythons)


def monotonic_ns():
    """Return a clock that only counts up, in nanoseconds; Python has one in integers since 3.7."""
    return time.monotonic_ns() if hasattr(time, "monotonic_ns") else int(time.monotonic() * 1e9)


class RunError(Exception):
    """The run cannot go on. `reason` is a code, `text` a sentence."""

    def __init__(self, reason, text):
        self.reason = reason
        self.text = text
        super().__init__("{}: {}".format(reason, text))


# --- the marker: high while a batch runs ------------------------------------------------------------------------------


class NoMarker(object):
    """No wire: the bench finds the batches by their times."""

    wired = False

    def set(self, level):
        """Do nothing."""

    def close(self):
        """Do nothing."""


class SysfsMarker(object):
    """A GPIO line through /sys/class/gpio, by the number that the kernel gave it: `sysfs:38`."""

    wired = True

    def __init__(self, number, root="/sys/class/gpio"):
        line = os.path.join(root, "gpio" + number)
        try:
            if not os.path.exists(line):
                self._write(os.path.join(root, "export"), number)
                self._wait_for_udev(line)
            self._write(os.path.join(line, "direction"), "low")  # an output, and low at once
            self._fd = os.open(os.path.join(line, "value"), os.O_WRONLY)
        except OSError as error:
            hint = "is there such a GPIO (sudo cat /sys/kernel/debug/gpio), is it free, and may this user write there?"
            raise RunError("marker_failed", "{}; {}".format(error, hint)) from error

    def set(self, level):
        """Set the line; it has been set when this returns."""
        os.pwrite(self._fd, b"1" if level else b"0", 0)

    def close(self):
        """Set it low. It stays exported: given back, some controllers would let it float."""
        self.set(False)
        os.close(self._fd)

    @staticmethod
    def _write(path, text):
        with open(path, "w") as file:
            file.write(text)

    @staticmethod
    def _wait_for_udev(line):
        """Wait until the line's files belong to their group; they are there at once, udev comes a moment later."""
        for _ in range(100):
            if os.access(os.path.join(line, "direction"), os.W_OK) and os.access(os.path.join(line, "value"), os.W_OK):
                return
            time.sleep(0.01)


class SimulatedMarker(object):
    """The marker input of a simulated bench: `tcp://HOST:PORT`. Each edge is answered."""

    wired = True

    def __init__(self, host, port):
        try:
            self._socket = socket.create_connection((host, port), timeout=5)
        except OSError as error:
            raise RunError("marker_failed", "no simulated bench at {}:{}: {}".format(host, port, error)) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def set(self, level):
        """Set the level; the bench has taken it when this returns."""
        try:
            self._socket.sendall(b"1\n" if level else b"0\n")
            answer = self._answers.readline().decode().strip()
        except OSError as error:
            answer = str(error)
        if answer != "ok":
            raise RunError("marker_failed", "the marker did not take level {:d}: {}".format(level, answer))

    def close(self):
        """Set it low and disconnect."""
        try:
            self.set(False)
        finally:
            self._answers.close()
            self._socket.close()


def marker_from_url(url):
    """Return the marker that is meant by `sysfs:NUMBER`, `tcp://HOST:PORT` or `none`."""
    scheme, _, rest = url.partition(":")
    if scheme == "none" and not rest:
        return NoMarker()
    if scheme == "sysfs" and rest.isdigit():
        return SysfsMarker(rest)
    host, _, port = rest[2:].rpartition(":")
    if scheme == "tcp" and rest.startswith("//") and host and port.isdigit():
        return SimulatedMarker(host, int(port))
    raise RunError("marker_failed", "marker {!r}: want sysfs:NUMBER, tcp://HOST:PORT or none".format(url))


# --- the run ----------------------------------------------------------------------------------------------------------


class Run(object):
    """One measured run, from request to result. `run.result` is the daemon's message as a dictionary."""

    def __init__(
        self,
        network,
        *,
        batch_size=1,
        precision="fp32",
        images_planned=None,
        captures=1,
        marker="none",
        broker="127.0.0.1",
        port=1883,
        bench="lab1",
        board="board",
        run_id=None,
        user=None,
        password=None,
        ca_file=None,
        cert_file=None,
        key_file=None,
        timeout_s=60.0,
    ):
        self.run_id = run_id or uuid.uuid4().hex
        self.state = None
        self.result = None
        self._batch_size, self._images_planned = batch_size, images_planned
        self._marker_url, self._marker = marker, NoMarker()
        self._broker, self._port, self._timeout_s = broker, port, timeout_s
        self._bench, self._board = bench, board
        root = "joulebench/v1/" + bench
        self._topics = {
            name: "{}/boards/{}/runs/{}/{}".format(root, board, self.run_id, name)
            for name in ("request", "started", "finished", "abort")
        }
        self._topics["status"] = root + "/status"
        self._topics["state"] = "{}/runs/{}/state".format(root, self.run_id)
        self._topics["result"] = "{}/runs/{}/result".format(root, self.run_id)
        self._topics["ping"] = "{}/clock/{}/ping".format(root, board)
        self._topics["pong"] = "{}/clock/{}/pong".format(root, board)
        self._request = {
            "v": 1,
            "network": network,
            "batch_size": batch_size,
            "precision": precision,
            "images_planned": images_planned,
            "captures": captures,
        }
        self._changed = threading.Condition()
        self._why = ("", "")  # reason and text of the state
        self._daemon = None  # the daemon's status, once it has come
        self._problem = None  # why the broker cannot be used
        self._asked = self._finished = False
        self._starts_ns, self._durations_ns, self._bound_ns = [], [], 0
        self._exchanges, self._pong = [], None
        self._client = _new_client("joulebench-{}-{}".format(board, uuid.uuid4().hex[:8]))
        if user is not None:
            self._client.username_pw_set(user, password)
        if ca_file is not None:
            self._client.tls_set(ca_file, certfile=cert_file, keyfile=key_file)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def __enter__(self):
        self._marker = marker_from_url(self._marker_url)
        self._request["sync"] = ["marker"] if self._marker.wired else ["clock", "step"]
        try:
            self._connect()
            self._ask()
            self._exchange_clock()
        except BaseException as error:
            self._give_up(error)
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            if error is None:
                self._finish()
        except BaseException as problem:
            error = problem
            raise
        finally:
            if error is not None:
                self._give_up(error)
            else:
                self._close()

    @property
    def wanted(self):
        """Whether another batch is wanted; raises RunError where the run has ended badly."""
        self._raise_where_it_ended_badly()
        planned = self._images_planned
        if planned is not None and len(self._durations_ns) * self._batch_size >= planned:
            return False
        return self.state == "armed"

    @contextlib.contextmanager
    def batch(self):
        """Hold the marker high; infer exactly one batch inside."""
        if not self._starts_ns:
            now_ns = {"started_utc_ns": int(time.time() * 1e9), "started_monotonic_ns": monotonic_ns()}
            self._publish("started", dict(now_ns, v=1))
        before_ns = monotonic_ns()
        self._marker.set(True)
        start_ns = monotonic_ns()
        try:
            yield
        finally:
            inferred_ns = monotonic_ns()
            self._marker.set(False)
            end_ns = monotonic_ns()
        self._starts_ns.append(start_ns)
        self._durations_ns.append(end_ns - start_ns)
        self._bound_ns = max(self._bound_ns, start_ns - before_ns, end_ns - inferred_ns)
        time.sleep(LOW_S)

    def _connect(self):
        try:
            self._client.connect(self._broker, self._port)
        except OSError as error:
            text = "no broker at {}:{}: {}".format(self._broker, self._port, error)
            raise RunError("broker_unavailable", text) from error
        self._client.loop_start()
        # The status is retained: once it has come, the subscription stands, and nothing that is said later is missed.
        if not self._wait(lambda: self._daemon or self._problem, min(5.0, self._timeout_s)):
            raise RunError("daemon_silent", "no daemon has ever been on bench {}".format(self._bench))
        if self._problem:
            raise RunError("broker_unavailable", self._problem)
        if self._daemon.get("state") != "online":
            raise RunError("daemon_silent", "the daemon of bench {} is not online".format(self._bench))

    def _ask(self):
        self._asked = True
        self._publish("request", self._request)
        if not self._wait(lambda: self.state not in (None, "accepted"), self._timeout_s):
            text = "the daemon did not arm within {:g} s; its last word: {}".format(self._timeout_s, self.state)
            raise RunError("daemon_silent", text)
        self._raise_where_it_ended_badly()

    def _finish(self):
        if self._starts_ns:
            self._exchange_clock()
            self._publish("finished", self._report())
        elif self.state == "armed":
            raise RunError("workload_failed", "no batch was run")
        self._finished = True
        if not self._wait(lambda: self.state in OVER, self._timeout_s):
            raise RunError("daemon_silent", "no result within {:g} s".format(self._timeout_s))
        self._raise_where_it_ended_badly()
        if not self._wait(lambda: self.result is not None, 1.0):
            self._publish("request", self._request)  # it went by while the connection was down
        if not self._wait(lambda: self.result is not None, self._timeout_s):
            raise RunError("daemon_silent", "the run is done, but its result did not come")

    def _report(self):
        timed = MOST_DURATIONS if self._marker.wired else MOST_STARTS
        report = {
            "v": 1,
            "finished_utc_ns": int(time.time() * 1e9),
            "images": len(self._durations_ns) * self._batch_size,
            "batches": len(self._durations_ns),
            "started_monotonic_ns": self._starts_ns[0],
            "finished_monotonic_ns": self._starts_ns[-1] + self._durations_ns[-1],
            "batch_durations_ns": self._durations_ns[:timed],
            "batch_duration_median_ns": int(statistics.median(self._durations_ns)),
            "batch_stamp_bound_ns": self._bound_ns,
        }
        if not self._marker.wired:
            report["batch_starts_monotonic_ns"] = self._starts_ns[:MOST_STARTS]
            report["clock_exchanges"] = self._exchanges
        return report

    def _exchange_clock(self):
        """Ask for the lab's time while no batch runs; an older lab does not answer, and is asked twice only."""
        if "clock" not in self._request["sync"]:
            return
        unanswered = 0
        for _ in range(EXCHANGES):
            asked_ns = monotonic_ns()
            self._client.publish(self._topics["ping"], json.dumps({"v": 1, "sent_monotonic_ns": asked_ns}), qos=0)
            if self._wait(lambda: self._pong and self._pong["board_sent_ns"] == asked_ns, PONG_TIMEOUT_S):  # noqa: B023
                self._exchanges.append(self._pong)
            else:
                unanswered += 1
                if unanswered == 2:
                    return

    def _give_up(self, error):
        if self._asked and not self._finished and self.state not in ENDED_BADLY:
            reason, text = "workload_failed", "{}: {}".format(type(error).__name__, error)
            if isinstance(error, RunError):
                reason, text = error.reason, error.text
            elif isinstance(error, (KeyboardInterrupt, SystemExit)):
                reason, text = "agent_stopped", "the board's program was stopped during the run"
            self._until_sent(self._publish("abort", {"v": 1, "reason": reason, "text": text[:1000]}))
        with contextlib.suppress(RunError, OSError):  # the first error counts
            self._close()

    def _close(self):
        self._client.disconnect()
        self._client.loop_stop()
        self._marker.close()

    def _raise_where_it_ended_badly(self):
        if self.state in ENDED_BADLY:
            raise RunError(*self._why)

    def _publish(self, name, message):
        return self._client.publish(self._topics[name], json.dumps(message), qos=1)

    def _until_sent(self, sent):
        end_s = time.monotonic() + 2.0
        while not sent.is_published() and time.monotonic() < end_s:
            time.sleep(0.01)

    def _wait(self, condition, timeout_s):
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    # What follows is called by the thread of the connection.

    def _on_connect(self, client, userdata, flags, code, *rest):
        if code.is_failure if hasattr(code, "is_failure") else code != 0:
            why = mqtt.connack_string(code) if isinstance(code, int) else code
            with self._changed:
                self._problem = "the broker refuses: {}".format(why)
                self._changed.notify_all()
            return
        names = ["state", "result", "pong", "status"]
        client.subscribe([(self._topics[name], 0 if name == "pong" else 1) for name in names])
        if self._asked:  # after a lost connection: the answer says where the run stands by now
            self._publish("request", self._request)

    def _on_message(self, client, userdata, message):
        received_ns = monotonic_ns()
        if not message.payload:
            return  # a retained message was cleared
        with self._changed, contextlib.suppress(ValueError, KeyError):  # what is not of the contract means nothing
            content = json.loads(message.payload.decode("utf-8"))
            if isinstance(content, dict):
                self._take(message.topic, content, received_ns)
                self._changed.notify_all()

    def _take(self, topic, content, received_ns):
        if topic == self._topics["state"]:
            if self.state not in OVER:
                self.state = content["state"]
                self._why = (content.get("reason") or self.state, content.get("text") or "the daemon gave no reason")
        elif topic == self._topics["result"]:
            self.result = content
        elif topic == self._topics["status"]:
            self._daemon = content
        elif topic == self._topics["pong"]:
            self._pong = {
                "board_sent_ns": content["sent_monotonic_ns"],
                "lab_received_ns": content["received_monotonic_ns"],
                "lab_answered_ns": content["answered_monotonic_ns"],
                "board_received_ns": received_ns,
            }


def _new_client(name):
    """Return a client of paho-mqtt, of either major version."""
    if hasattr(mqtt, "CallbackAPIVersion"):
        return mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
    return mqtt.Client(client_id=name)


# --- as a program -----------------------------------------------------------------------------------------------------


def _function(text, parser):
    """Return the function that `MODULE:NAME` means; the module is looked for where the user is first."""
    module, _, name = text.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        parser.error("{}: want MODULE:FUNCTION: {}".format(text, error))


def main():
    """Measure a function that infers one batch; print the result."""
    parser = argparse.ArgumentParser(description="Measure a Python function that infers one batch.")
    parser.add_argument("function", metavar="MODULE:FUNCTION", help="called once for each batch, without arguments")
    parser.add_argument("--network", required=True)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--images", type=int, help="images to run; left out: until the last capture is taken")
    parser.add_argument("--captures", type=int, default=1)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--marker", default="none", help="sysfs:NUMBER, tcp://HOST:PORT (simulated bench) or none")
    parser.add_argument("--warm-up", type=int, default=3, help="batches beforehand, with the marker low")
    parser.add_argument("--broker", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--user", help="with the password in the variable BROKER_PASSWORD")
    parser.add_argument("--ca", metavar="FILE", help="authority of a broker with TLS")
    parser.add_argument("--cert", metavar="FILE", help="our own certificate, where the broker wants one")
    parser.add_argument("--key", metavar="FILE", help="its key")
    parser.add_argument("--bench", default="lab1")
    parser.add_argument("--board", default="board")
    parser.add_argument("--run-id")
    parser.add_argument("--timeout-s", type=float, default=60.0, help="longest wait for the daemon's next word")
    options = parser.parse_args()
    infer = _function(options.function, parser)
    for _ in range(options.warm_up):
        infer()
    run = Run(
        network=options.network,
        batch_size=options.batch_size,
        precision=options.precision,
        images_planned=options.images,
        captures=options.captures,
        marker=options.marker,
        broker=options.broker,
        port=options.port,
        bench=options.bench,
        board=options.board,
        run_id=options.run_id,
        user=options.user,
        password=os.environ.get("BROKER_PASSWORD"),
        ca_file=options.ca,
        cert_file=options.cert,
        key_file=options.key,
        timeout_s=options.timeout_s,
    )
    try:
        with run:
            while run.wanted:
                with run.batch():
                    infer()
    except RunError as error:
        print("joulebench_board.py: run {}: {}".format(run.run_id, error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(json.dumps(run.result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
