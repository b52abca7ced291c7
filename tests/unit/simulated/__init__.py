"""Tests of the simulated bench, below its sockets."""
