"""Export: what was measured, as files that other programs read."""
