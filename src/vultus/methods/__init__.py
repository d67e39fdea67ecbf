"""One file a method; the shared formulas stand in `losses`."""
