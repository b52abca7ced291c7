"""Migrations: how the tables of an older database become those of this software, one revision after another."""
