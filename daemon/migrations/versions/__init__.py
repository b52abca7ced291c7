"""Revisions of the tables, the oldest first; each states everything itself, since `daemon.tables` moves on."""
