"""Trials: what only real instruments can show, tried on them and written down."""
