"""The loop, schedules, loss balancing, checkpoints, distribution."""
