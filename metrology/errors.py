"""The one root of every error that joulebench raises on purpose.

JoulebenchError
|- MetrologyError        a quantity that cannot be: name, value and bound in the text
|- instruments.errors.InstrumentError      hardware, or the way to it
|- calibration.errors.CalibrationError     certificates and their store
|- runners.errors.RunnerError              the board side
`- daemon.errors.DaemonError               the lab side
"""


class JoulebenchError(Exception):
    """Root of the tree: catch it to catch everything that joulebench raises on purpose."""


class MetrologyError(JoulebenchError, ValueError):
    """A quantity outside what the mathematics allows."""
