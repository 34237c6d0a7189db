"""Say what serves here, and how to send batches to it."""

from datetime import UTC, datetime
from typing import Any

from inference.contract.manifest import Manifest
from inference.settings import Settings

MB = 1024 * 1024
TOLD = (
    "image",
    "data",
    "code_sha",
    "seed",
    "environment_digest",
    "trained_at",
    "metrics",
    "segments",
    "owner",
    "licence",
    "intended_use",
    "limitations",
)
"""What the manifest says for people, as it stands there."""


def metadata(manifest: Manifest, settings: Settings, started: float) -> dict[str, Any]:
    """Give what the manifest says of the model, and what serves it; `started` in epoch seconds."""
    said = manifest.model_extra or {}
    return {
        "name": manifest.name,
        "version": manifest.version,
        "task": manifest.task,
        "labels": manifest.labels,
        "model_sha256": manifest.model.sha256,
        **{name: said[name] for name in TOLD if name in said},
        "endpoint": settings.endpoint,
        "variant": settings.variant,
        "workers": settings.workers,
        "started_at": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
    }


def execution_parameters(settings: Settings) -> dict[str, Any]:
    """
    Give what batch transform asks for.

    Source: SageMaker developer guide, "Custom inference code with batch transform".
    """
    return {
        "MaxConcurrentTransforms": settings.workers,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": max(1, settings.largest_body_bytes // MB),
    }
