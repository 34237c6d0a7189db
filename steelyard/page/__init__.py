"""What every page of ours has: one file, its frame, its colours, and the chart library inside."""
