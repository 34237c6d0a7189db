"""
Write the container's HTTP contract for one model version as an OpenAPI 3.1 document.

A client that goes by JSON Schema alone is told everything but three things, which stand in words:
an integer is written without a fraction, a number is finite, and all text is UTF-8.
"""

from collections.abc import Mapping
from typing import Any

from inference.contract.feature import Feature
from inference.contract.formats import CSV, JSON, JSON_LINES
from inference.contract.manifest import BATCH_KEY, Manifest
from inference.scoring.feature_code import middle_record

Json = dict[str, Any]

REFUSALS = {
    "400": "The body is not of its format, not UTF-8, or empty.",
    "406": "None of the accepted media types is available.",
    "408": "The request did not come whole in time.",
    "413": "The body is too long.",
    "415": "The body has a media type that is not read.",
    "422": "Some values are not allowed. Every problem is named, none repeats what was sent.",
    "431": "The head of the request is too long.",
    "500": "The model failed.",
    "503": "There is no room for the request now.",
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}


def document(manifest: Manifest) -> Json:
    """Give the document: the same bytes for the same manifest once it is encoded."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": manifest.name,
            "version": manifest.version,
            "description": "The serving container of this model version.",
        },
        "paths": {
            "/invocations": {"post": _invocations(manifest)},
            "/ping": {"get": _page("The model is loaded.", {})},
            "/ready": {"get": _ready()},
            "/metrics": {"get": _page("Counters, in Prometheus text format.", _text("text/plain"))},
            "/metadata": {"get": _page("What serves here.", _object())},
            "/execution-parameters": {"get": _page("How to send batches.", _object())},
        },
        "components": {"schemas": _schemas(manifest)},
    }


def _invocations(manifest: Manifest) -> Json:
    return {
        "operationId": "invoke",
        "summary": "Predict for one record or several.",
        "parameters": _parameters(manifest),
        "requestBody": {"required": True, "content": _bodies(manifest)},
        "responses": {"200": _answer()} | {status: _refusal(status) for status in REFUSALS},
    }


def _parameters(manifest: Manifest) -> list[Json]:
    parameters = [
        _header(
            "X-Amzn-SageMaker-Inference-Id",
            "Recorded with the predictions.",
            {"type": "string", "maxLength": 64, "pattern": "^[!-~]*$"},
        )
    ]
    if manifest.explanation is not None:
        name = "X-Amzn-SageMaker-Custom-Attributes"
        said = "`explain=true` adds an explanation to each prediction; not in CSV."
        parameters.append(_header(name, said, {"type": "string", "enum": ["explain=true"]}))
    return parameters


def _header(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _bodies(manifest: Manifest) -> Json:
    record = middle_record(manifest)
    one_or_many = {"anyOf": [_ref("Record"), _ref("Batch")]}
    lines = "One record a line, each an object as in JSON."
    rows = (
        f"One record a row, the columns being {', '.join(record)}; an empty cell is null. A first "
        "row with these names in any order is a header; `header=present` or `header=absent` in the "
        "media type leaves no doubt."
    )
    return {
        JSON: {"schema": one_or_many, "example": record},
        **{name: {"schema": {"type": "string", "description": lines}} for name in JSON_LINES},
        CSV: {"schema": {"type": "string", "description": rows}},
    }


def _answer() -> Json:
    lines = "One prediction a line."
    rows = "One prediction a row, its fields in order, scores by label last; no header."
    return {
        "description": "One prediction for each record, in order.",
        "content": {
            JSON: {"schema": _ref("Answer")},
            **{name: {"schema": {"type": "string", "description": lines}} for name in JSON_LINES},
            CSV: {"schema": {"type": "string", "description": rows}},
        },
    }


def _refusal(status: str) -> Json:
    answer = {"description": REFUSALS[status], "content": _refused()}
    return answer | {"headers": RETRY_AFTER} if status == "503" else answer


def _refused() -> Json:
    return {JSON: {"schema": _ref("Refusal")}}


def _page(description: str, content: Json) -> Json:
    answer = {"description": description} | ({"content": content} if content else {})
    return {"responses": {"200": answer}}


def _ready() -> Json:
    page = _page("The model is loaded and the container is not about to end.", {})
    refused = {"description": "The container is about to end.", "content": _refused()}
    page["responses"]["503"] = refused
    return page


def _text(media_type: str) -> Json:
    return {media_type: {"schema": {"type": "string"}}}


def _object() -> Json:
    return {JSON: {"schema": {"type": "object"}}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(manifest: Manifest) -> Json:
    return {
        "Record": _record(manifest),
        "Batch": _closed({BATCH_KEY: {"type": "array", "items": _ref("Record"), "minItems": 1}}),
        "Prediction": _prediction(manifest),
        "Answer": _closed(
            {
                "predictions": {"type": "array", "items": _ref("Prediction"), "minItems": 1},
                "model_version": {"const": manifest.version},
            }
        ),
        "Problem": _closed({"field": {"type": "string"}, "problem": {"type": "string"}}),
        "Refusal": _closed({"errors": {"type": "array", "items": _ref("Problem"), "minItems": 1}}),
    }


def _closed(properties: Mapping[str, Json]) -> Json:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _record(manifest: Manifest) -> Json:
    schema = manifest.record_schema()
    for feature in manifest.features:
        schema["properties"][feature.name] |= {"description": _described(feature)}
    if schema["additionalProperties"]:
        schema["properties"][BATCH_KEY] = False  # with this key it would be a batch
    return schema


def _described(feature: Feature) -> str:
    said = [f"unit: {feature.unit}"] if feature.unit is not None else []
    said += ["written without a fraction"] if feature.type == "integer" else []
    said += ["personal data, never recorded"] if feature.pii else []
    return "; ".join(said)


def _prediction(manifest: Manifest) -> Json:
    schema = _closed(_predicted(manifest))
    if manifest.explanation is not None:
        schema["properties"]["explanation"] = _explanation(manifest)
    return schema


def _predicted(manifest: Manifest) -> Json:
    if manifest.labels is None:
        return {"score": {"type": "number"}}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    label = {"enum": list(manifest.labels)}
    if manifest.task == "binary":
        return {"score": share, "label": label, "confidence": share}
    scores = _closed({str(name): share for name in manifest.labels})
    return {"label": label, "confidence": share, "scores": scores}


def _explanation(manifest: Manifest) -> Json:
    number = {"type": "number"}
    contributions = _closed({feature.name: number for feature in manifest.features})
    return {
        "type": "object",
        "description": "`base` and all contributions add up to the score, in this unit.",
        "properties": {
            "unit": {"type": "string"},
            "base": number,
            "contributions": contributions,
        },
        "required": ["unit", "base", "contributions"],
    }
