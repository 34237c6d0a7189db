"""Load tests: requests at their time whatever is outstanding, and a verdict on what came back."""
