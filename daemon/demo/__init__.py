"""The demonstration: broker, simulated bench, daemon and agent in one go, over the same code path as a real bench."""
