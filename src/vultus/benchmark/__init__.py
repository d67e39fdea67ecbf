"""The benchmark matrix: methods × seeds pre-trained on equal terms, each read on every set and task, in one table."""
