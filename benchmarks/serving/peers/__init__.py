"""One file per server that ours is compared with, each in the idiom of its own documentation."""
