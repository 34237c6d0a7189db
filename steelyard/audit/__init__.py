"""What a rollout's records say afterwards: verdicts recomputed, timeline, impact, post-mortem."""
