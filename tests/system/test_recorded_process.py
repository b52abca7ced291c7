"""`joulebench daemon --record` as a process: the transcript is whole after an orderly end, and good after a kill."""

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from instruments.transcripts.line import Event, Line
from instruments.transcripts.transcript_file import read_transcript
from tests.mosquitto import MosquittoBroker
from tests.system.lab_processes import LabProcesses, lab_of

pytestmark = [pytest.mark.mosquitto, pytest.mark.system]
ROLES = ["oscilloscope", "power_supply"]


def recorded(lab: LabProcesses, path: Path, end: signal.Signals) -> Sequence[Line]:
    """Run a daemon until it is served and end it; return what it recorded."""
    daemon = lab.daemon(record=path)
    daemon.popen.send_signal(end)
    daemon.popen.wait(30)
    return read_transcript(path)


def of_event(lines: Sequence[Line], event: Event) -> list[str]:
    return sorted(line.role for line in lines if line.event is event)


@pytest.mark.long
def test_the_transcript_of_a_daemon(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> None:
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate()
        ended = recorded(lab, tmp_path / "ended.jsonl", signal.SIGTERM)
        killed = recorded(lab, tmp_path / "killed.jsonl", signal.SIGKILL)
    assert of_event(ended, Event.OPEN) == of_event(killed, Event.OPEN) == ROLES
    assert of_event(ended, Event.READ) == of_event(killed, Event.READ) == ROLES, "the identities"
    assert of_event(ended, Event.CLOSE) == ROLES
    assert of_event(killed, Event.CLOSE) == []
