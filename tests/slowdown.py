"""How much slower this computer is at the moment, for tests that hold something against the clock."""

import time

SPIN_S = 0.05


def slowdown() -> float:
    """Return how much longer work takes now than with a core of its own: wall over CPU time of some work, 1 at least.

    Whoever else computes here stretches what is measured and this alike; a wait, or more work, stretches the former
    alone.
    """
    began_s, began_cpu_s = time.perf_counter(), time.thread_time()
    while (cpu_s := time.thread_time() - began_cpu_s) < SPIN_S:
        pass
    return max((time.perf_counter() - began_s) / cpu_s, 1.0)
