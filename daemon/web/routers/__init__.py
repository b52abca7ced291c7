"""Routers: one noun a file."""
