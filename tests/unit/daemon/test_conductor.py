"""Conductor: what it keeps of boards that it has heard."""

from types import SimpleNamespace
from typing import Any, cast

from daemon.conductor import MOST_BOARDS, Conductor
from runners.messages import BoardStatus, Presence


def test_no_more_boards_are_remembered_than_there_can_be() -> None:
    conductor = Conductor(cast(Any, SimpleNamespace()), admission=lambda _: None)
    for number in range(3 * MOST_BOARDS):
        status = BoardStatus(state=Presence.ONLINE, board=f"b{number}", busy_run="r")
        conductor.board_status("kept", BoardStatus(state=Presence.ONLINE, board="kept", busy_run="r"))
        conductor.board_status(f"b{number}", status)
    assert len(conductor._busy) == MOST_BOARDS
    assert "kept" in conductor._busy, "who is heard from is not forgotten"
    assert "b0" not in conductor._busy
