"""The lab side: configuration, life cycle, conductor, MQTT, journal, store, command line."""
