"""Verification: virtual benches whose truth is known, calibrated and measured as real ones are."""
