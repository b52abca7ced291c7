"""The 1146B current probe, as its guide and its class describe it (reference 3)."""

from instruments.probe_declaration import ProbeDeclaration, ProbeRange

PROBE_1146B = ProbeDeclaration(
    model="1146B",
    ranges=(
        ProbeRange(
            gain_v_per_a=0.1,
            gain_accuracy=0.03,
            zero_accuracy_a=0.05,
            peak_current_a=10.0,
            bandwidth_hz=100e3,
            noise_a_rms=0.030,
        ),
        ProbeRange(
            gain_v_per_a=0.01,
            gain_accuracy=0.04,
            zero_accuracy_a=0.05,
            peak_current_a=100.0,
            bandwidth_hz=100e3,
            noise_a_rms=0.048,
        ),
    ),
)
"""The 1146B. Only the 4 % of its coarse range are its guide's (p. 18); check the rest against the data
sheet."""
