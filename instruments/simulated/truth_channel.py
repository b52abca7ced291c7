"""Truth channel: what really happened in the world, as JSON lines; no driver can see it."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from instruments.simulated.fault_plan import FaultPlan
from instruments.simulated.faults import Faults
from instruments.simulated.line_server import LineConnection
from instruments.simulated.rewiring import is_finite_number, rewire
from instruments.simulated.truth_log import TruthLog
from instruments.simulated.world import World
from metrology.errors import MetrologyError

Request = dict[str, Any]


class TruthChannel(LineConnection):
    """One connection to the truth. Each request is an object with `op`; each answer an object, `error` in a bad one."""

    def __init__(self, world: World, log: TruthLog, faults: Faults, plan: FaultPlan | None = None) -> None:
        super().__init__()
        self._plan = plan
        self._world = world
        self._log = log
        self._faults = faults
        self._operations: dict[str, Callable[[Request], dict[str, Any]]] = {
            "acquisitions": self._acquisitions,
            "energy": self._energy,
            "now": lambda _: {"now_s": self._world.advance()},
            "errors": lambda _: {"errors": asdict(self._world.errors), "circuit": self._world.true_values()},
            "pulses": self._pulses,
            "fault": self._fault,
            "faults": self._all_faults,
            "wire": self._wire,
            "play": self._play,
            "supply": lambda _: dict(zip(("voltage_v", "current_a"), self._world.supply_means(), strict=True)),
        }

    def handle(self, line: bytes) -> None:
        """Answer one request."""
        try:
            answer = self._answer(line)
        except MetrologyError as error:
            answer = {"error": str(error)}
        self.send(json.dumps(answer).encode() + b"\n")

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise MetrologyError(f"truth: the request is no JSON: {error}") from None
        operation = self._operations.get(str(request.get("op"))) if isinstance(request, dict) else None
        if operation is None:
            raise MetrologyError(f"truth: `op` must be one of {sorted(self._operations)}")
        return operation(request)

    def _acquisitions(self, request: Request) -> dict[str, Any]:
        kept = self._log.since(int(_number(request, "since", 0)))
        return {"acquisitions": [asdict(truth) for truth in kept], "count": self._log.count}

    def _energy(self, request: Request) -> dict[str, Any]:
        now_s = self._world.advance()
        start_s, end_s = _number(request, "start_s"), _number(request, "end_s")
        if not start_s <= end_s <= now_s:
            raise MetrologyError(f"truth: start_s <= end_s <= now ({now_s}) is needed, got {start_s} and {end_s}")
        return {"energy_j": self._world.energy_j(start_s, end_s)}

    def _pulses(self, request: Request) -> dict[str, Any]:
        now_s = self._world.advance()
        return {"pulses": self._world.marker_pulses(_number(request, "since_s", 0.0), now_s)}

    def _fault(self, request: Request) -> dict[str, Any]:
        unknown = sorted(set(request) - {"op", "kind", "role", "seconds", "code"})
        if unknown:
            raise MetrologyError(f"fault: keys must be among kind, role, seconds, code; got {unknown}")
        wanted = {name: request.get(name) for name in ("role", "seconds", "code")}
        self._faults.inject(request.get("kind"), **wanted)
        return {"ok": True}

    def _all_faults(self, _: Request) -> dict[str, Any]:
        coming = [] if self._plan is None else self._plan.coming
        return {
            "planned": [{**asdict(fault), "at_s": at_s} for fault, at_s in coming],
            "waiting": [asdict(fault) for fault in self._faults.waiting],
            "struck": self._faults.struck,
        }

    def _wire(self, request: Request) -> dict[str, Any]:
        rewire(self._world, {key: value for key, value in request.items() if key != "op"})
        return {"ok": True}

    def _play(self, request: Request) -> dict[str, Any]:
        pulses = request.get("pulses")
        if not isinstance(pulses, list) or not pulses:
            raise MetrologyError(f"truth: pulses must be a list of [high_s, low_s], got {pulses!r}")
        pairs = [_pulse(pulse) for pulse in pulses]
        return {"end_s": self._world.play(pairs)}


def _pulse(pulse: Any) -> tuple[float, float]:
    if not (isinstance(pulse, list) and len(pulse) == 2 and all(isinstance(part, int | float) for part in pulse)):
        raise MetrologyError(f"truth: a pulse must be [high_s, low_s], got {pulse!r}")
    if not all(1e-6 <= part <= 3600.0 for part in pulse):
        raise MetrologyError(f"truth: each duration of a pulse must lie in 1e-6..3600 s, got {pulse!r}")
    return float(pulse[0]), float(pulse[1])


def _number(request: Request, name: str, default: float | None = None) -> float:
    value = request.get(name, default)
    if not is_finite_number(value):
        raise MetrologyError(f"truth: {name} must be a finite number, got {value!r}")
    return float(value)
