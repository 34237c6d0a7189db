"""Counters over all workers, and the page that shows them."""
