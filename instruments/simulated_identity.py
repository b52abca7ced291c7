"""Simulated identity: by what the simulated oscilloscope is known from a real one, wherever its records lie."""

SIMULATED_SCOPE_IDENTITY = "AGILENT TECHNOLOGIES,MSO-X 2024A,MY00000001,02.65.2021102830"
"""Its answer to `*IDN?`: a real model and firmware, so that drivers take it, and a serial number that nobody has."""
SIMULATED_BENCHES = ("simulated", "demo")
"""What a simulated bench is called in the configurations that come with joulebench, and by the demonstration."""
