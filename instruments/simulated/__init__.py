"""The bench in software: physics, dialects and transports behind real sockets."""
