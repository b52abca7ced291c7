"""Health: whether the daemon lives, and whether it could measure a run now, without asking an instrument."""
