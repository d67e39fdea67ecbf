"""Features → probes → figures."""
