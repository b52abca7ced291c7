"""Service report: what a service manager is told: how the daemon is in a few words, and what of it does not go on."""

from daemon.application import Application


class ServiceReport:
    """Looks at a daemon from the event loop; asks nobody, so that it cannot hang with whom it watches."""

    def __init__(self, daemon: Application) -> None:
        self._daemon = daemon

    def status(self) -> str:
        """Return how bench, broker and run in hand are."""
        return f"{self._bench()}; {self._broker()}; {self._run()}"

    def stuck(self) -> str | None:
        """Return what does not go on; None where everything does.

        A piece of work that has been running too long: the disk, the database or an analysis hangs. A run that takes
        no step within all the time that its steps may take: whatever it waits for will not come.
        """
        limit_s = self._daemon.in_force.current.watchdog.work_limit_s
        longest_s, overdue_s = self._daemon.threads.longest_s, self._daemon.conductor.overdue_s
        if longest_s > limit_s:
            return f"a piece of work has been running for {longest_s:.0f} s, watchdog.work_limit_s is {limit_s:g}"
        if overdue_s > limit_s:
            return (
                f"run {self._daemon.conductor.current_run} is {overdue_s:.0f} s past the longest wait for its next "
                f"step, watchdog.work_limit_s is {limit_s:g}"
            )
        return None

    def _bench(self) -> str:
        name = self._daemon.in_force.current.bench.name
        return f"bench {name} {'open' if self._daemon.bench.is_open else 'not open, the next run tries again'}"

    def _broker(self) -> str:
        link, mqtt = self._daemon.link, self._daemon.in_force.current.mqtt
        if link.connected.is_set():
            return "broker connected"
        return f"broker {mqtt.host}:{mqtt.port} away ({link.last_problem})"

    def _run(self) -> str:
        progress = self._daemon.conductor.progress
        if progress is None:
            return "no run"
        taken = f"{progress.captures_taken} of {progress.captures_planned} captures"
        return f"run {self._daemon.conductor.current_run} {progress.phase.value}, {taken}"
