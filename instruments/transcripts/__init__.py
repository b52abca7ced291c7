"""Transcripts: what was said on the way to the instruments, recorded and replayed."""
