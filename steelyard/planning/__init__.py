"""Say before a rollout what it can decide, when, and at whose cost; standard library alone."""
