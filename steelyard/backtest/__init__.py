"""Replay recorded measurements under a policy; standard library alone."""
