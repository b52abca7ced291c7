"""Doctor: holds store, captures, journal and certificates against each other, and repairs what is safe."""
