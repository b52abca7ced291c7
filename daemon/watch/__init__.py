"""Watch: what a bench does, heard from its broker by whoever looks at it in a terminal."""
