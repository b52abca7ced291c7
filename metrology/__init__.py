"""The mathematics of an energy measurement: pure, with no clock, input, output or logging of its own."""
