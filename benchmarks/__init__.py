"""Measurements of speed; each module has a `measure()` and runs by `python -m benchmarks.NAME`."""
