"""Fault campaign: a lab of real processes and a real broker, struck again and again, and a judge of what it kept."""
