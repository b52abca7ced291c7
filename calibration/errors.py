"""What can go wrong with calibration.

CalibrationError
|- BadCertificate          a certificate that cannot be: name, value and bound in the text
|- CertificateExists       one of this name is stored already, and none is ever overwritten
|- CertificateFileError    one file of the store: missing, unreadable, or not as it was written
|- BadEntry                what is to be said in a certificate, and is no KEY=VALUE
|- NobodyAnswers           the operator was asked for something, and standard input is closed
`- ProcedureFailed         a procedure that cannot give a certificate: wiring, settings or scatter
"""

from pathlib import Path

from metrology.errors import JoulebenchError


class CalibrationError(JoulebenchError):
    """Root of the errors of certificates, their store and the procedures."""


class BadCertificate(CalibrationError, ValueError):
    """A certificate whose content cannot be."""


class CertificateExists(CalibrationError):
    """A certificate of this name is stored already."""


class CertificateFileError(CalibrationError):
    """A file of the store that cannot be used."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"certificate file {path}: {problem}")
        self.path = path
        """The file."""
        self.problem = problem
        """What is wrong with it."""


class BadEntry(CalibrationError, ValueError):
    """An entry for a certificate that is no `KEY=VALUE`."""


class NobodyAnswers(CalibrationError):
    """An operator was asked for something, and standard input is closed; silence is not taken for "done"."""

    def __init__(self, question: str) -> None:
        super().__init__(
            f"nobody answers {question!r}: standard input is closed; run it in a terminal, or rehearse it on a "
            "simulated bench with --unattended"
        )


class ProcedureFailed(CalibrationError):
    """A procedure that came to no certificate."""

    def __init__(self, procedure: str, problem: str) -> None:
        super().__init__(f"calibration {procedure}: {problem}")
        self.procedure = procedure
        """Name of the procedure, with the time when it began."""
        self.problem = problem
        """What is wrong, and what to do."""
