"""The settings of a Lambda, from its environment."""

import os


def setting(name: str) -> str:
    """Return a setting of this function; raises KeyError when the deployment gave it none."""
    return os.environ[f"STEELYARD_{name}"]


def is_set(name: str) -> bool:
    """Say whether the deployment gave this function a setting."""
    return f"STEELYARD_{name}" in os.environ
