"""Steelyard: SageMaker models behind a gate, not a switch."""

import os

# onnxruntime reports its use to its maker, unless this is set before its import (its Privacy.md).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
