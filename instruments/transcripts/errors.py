"""What can go wrong with a transcript.

JoulebenchError
`- TranscriptError        anything below
   |- BadTranscript       a file that is no transcript, or one of another version
   `- TranscriptDeviation a replay was asked something else than was recorded
"""

from metrology.errors import JoulebenchError


class TranscriptError(JoulebenchError):
    """Root of what can go wrong with a transcript."""


class BadTranscript(TranscriptError):
    """A file that cannot be read as a transcript."""


class TranscriptDeviation(TranscriptError):
    """What a driver does is not what was recorded.

    No `InstrumentError`, so that nothing takes it for a failing instrument and tries again.
    """
