"""Self-supervised face representation learning."""
