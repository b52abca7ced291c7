"""Certificates, their store, and the procedures that make them."""
