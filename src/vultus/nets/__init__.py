"""Encoders, heads and decoders."""
