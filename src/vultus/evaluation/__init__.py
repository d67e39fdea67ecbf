"""Features → probes → figures: the encoder is frozen, its features are computed once, every probe is convex."""
