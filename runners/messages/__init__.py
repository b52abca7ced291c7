"""The message contract, version 1: every payload that crosses the broker, as classes."""

from runners.messages.clock import MAX_CLOCK_EXCHANGES, ClockExchange, ClockPing, ClockPong
from runners.messages.lab_messages import PowerQuery, PowerReading, RunAnswer, RunQuery
from runners.messages.message import (
    IDENTIFIER_PATTERN,
    MAX_PAYLOAD_BYTES,
    NETWORK_PATTERN,
    REASON_PATTERN,
    Message,
    decode,
    encode,
)
from runners.messages.run_figures import RunMemory, RunTimes
from runners.messages.run_messages import (
    MAX_BATCH_DURATIONS,
    MAX_BATCH_STARTS,
    MAX_CAPTURES,
    SYNC_METHODS,
    RunAbort,
    RunFinished,
    RunRequest,
    RunStarted,
)
from runners.messages.run_result import BudgetTerm, QualityReason, Quantity, RunResult
from runners.messages.run_state import RunPhase, RunState
from runners.messages.status import BoardCommand, BoardStatus, CampaignCommand, DaemonStatus, Presence

__all__ = [
    "IDENTIFIER_PATTERN",
    "MAX_BATCH_DURATIONS",
    "MAX_BATCH_STARTS",
    "MAX_CAPTURES",
    "MAX_CLOCK_EXCHANGES",
    "MAX_PAYLOAD_BYTES",
    "NETWORK_PATTERN",
    "REASON_PATTERN",
    "SYNC_METHODS",
    "BoardCommand",
    "BoardStatus",
    "BudgetTerm",
    "CampaignCommand",
    "ClockExchange",
    "ClockPing",
    "ClockPong",
    "DaemonStatus",
    "Message",
    "PowerQuery",
    "PowerReading",
    "Presence",
    "QualityReason",
    "Quantity",
    "RunAbort",
    "RunAnswer",
    "RunFinished",
    "RunMemory",
    "RunPhase",
    "RunQuery",
    "RunRequest",
    "RunResult",
    "RunStarted",
    "RunState",
    "RunTimes",
    "decode",
    "encode",
]
