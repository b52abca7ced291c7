"""What infers: torch in its ways, and others, each behind the one Protocol of `backend`."""
