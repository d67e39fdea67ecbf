"""The face set: memory-mapped faces with their labels, the readers that make it, the loader that decodes it."""
