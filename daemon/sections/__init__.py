"""The sections of the configuration file, one module for each subject."""
