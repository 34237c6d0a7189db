"""What callers may send, what they get, and in which words they are refused."""
