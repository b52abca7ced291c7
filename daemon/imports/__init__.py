"""Recordings of other instruments as runs: their captures, their accuracy, and where they are kept."""
