"""What a user writes: endpoint.yaml and manifests, checked whole and compiled to a policy."""

from steelyard.spec.folder import Endpoint, SpecError, load

__all__ = ["Endpoint", "SpecError", "load"]
