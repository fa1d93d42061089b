"""Benchmarks: the real path, measured as commands."""
