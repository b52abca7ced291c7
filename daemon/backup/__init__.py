"""Backup: database, captures and certificates, copied while the daemon measures, verified, and restored elsewhere."""
