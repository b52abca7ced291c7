"""Procedures: one runnable script a file; each makes one kind of certificate."""
