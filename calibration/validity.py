"""Validity: how long a certificate of each kind holds where nobody says otherwise."""

VALIDITY_DAYS = {"zero": 1.0, "gain": 30.0, "lead": 365.0, "delay": 365.0}
"""Days by kind of certificate."""
