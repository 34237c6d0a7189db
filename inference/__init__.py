"""The serving container: one model directory behind SageMaker's HTTP contract."""

import os

# onnxruntime reports its use to its maker, unless this is set before its import (its Privacy.md).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
