"""The local AWS: plays the synthesised assembly on this machine and says what it simulates."""
