"""Decide rollouts: policy, weights, counters and judge, on the standard library alone."""
