"""Metrics: what is counted of a daemon's life, as Prometheus reads it; one noun a module."""

from daemon.metrics.metrics import Metrics

__all__ = ["Metrics"]
