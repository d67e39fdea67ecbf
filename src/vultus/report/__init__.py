"""Pictures and the one-page HTML report."""
