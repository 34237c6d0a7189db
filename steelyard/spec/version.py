"""A model version's folder: manifest, schema and model, checked against each other."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from steelyard.spec.document import read_json
from steelyard.spec.manifest import Manifest
from steelyard.spec.parse import parse

TRAIN = "run the training script of this endpoint again"


def check_version(
    folder: Path, endpoint: str | None, version: str
) -> tuple[Manifest | None, list[str]]:
    """
    Return the manifest of a version, and a sentence for each problem of its folder.

    `endpoint` is the endpoint's name, None where it is unknown.
    """
    home = folder / version
    if not home.is_dir():
        found = sorted(path.name for path in folder.glob("v*") if path.is_dir())
        return None, [
            f"{version}: is missing, allowed is a version with a folder, which are "
            f"{', '.join(found) or 'none'}: name one of these, or train {version}"
        ]
    name = f"{version}/manifest.json"
    document, problems = read_json(home / "manifest.json", name)
    if document is None:
        return None, problems
    manifest, problems = parse(Manifest, document)
    if manifest is None:
        return None, problems
    return manifest, [
        *_identity_problems(manifest, endpoint, version, name),
        *_schema_problems(home, version, manifest),
        *_model_problems(home, version, manifest),
    ]


def _identity_problems(
    manifest: Manifest, endpoint: str | None, version: str, name: str
) -> Iterator[str]:
    if endpoint is not None and manifest.name != endpoint:
        yield (
            f"{name}: name: given {manifest.name!r}, allowed is {endpoint!r}, as endpoint.yaml "
            f"calls it: put the version into its own endpoint's folder, or {TRAIN}"
        )
    if f"v{manifest.version.replace('.', '-')}" != version:
        yield (
            f"{name}: version: given {manifest.version!r}, allowed is "
            f"{version[1:].replace('-', '.')!r}, as its folder is called: rename the folder"
        )


def _schema_problems(home: Path, version: str, manifest: Manifest) -> list[str]:
    document, problems = read_json(home / "schema.json", f"{version}/schema.json")
    if document is None:
        return problems
    name = document.name
    raw = document.content if isinstance(document.content, dict) else {}
    properties = raw.get("properties")
    if not isinstance(properties, dict):
        return [f"{name}: holds no properties, allowed is a JSON Schema of one record: {TRAIN}"]
    problems = [*_property_problems(name, properties, manifest)]
    if raw.get("additionalProperties") is not False:
        problems.append(f"{name}: additionalProperties: is not false, as it must be: {TRAIN}")
    required = raw.get("required")
    if not isinstance(required, list) or {*map(str, required)} != {*properties}:
        problems.append(f"{name}: required: does not list exactly the properties: {TRAIN}")
    return problems


def _property_problems(name: str, properties: dict[str, Any], manifest: Manifest) -> Iterator[str]:
    ranges = {feature.name: feature.range for feature in manifest.features}
    odd = sorted({*properties} ^ {*ranges})
    if odd:
        yield (
            f"{name}: properties: differ from the features of manifest.json in "
            f"{', '.join(odd)}: {TRAIN}, which writes both"
        )
    elif list(properties) != list(ranges):
        yield (
            f"{name}: properties: are in another order than the features of manifest.json, which "
            f"is the model's: {TRAIN}, which writes both"
        )
    for feature, limits in ranges.items():
        rule = properties.get(feature, {"minimum": limits[0], "maximum": limits[1]})
        given = (rule.get("minimum"), rule.get("maximum")) if isinstance(rule, dict) else None
        if given != limits:
            said = "no range" if given is None else f"{given[0]} to {given[1]}"
            yield (
                f"{name}: {feature}: given {said}, allowed is {limits[0]:g} to {limits[1]:g}, "
                f"as manifest.json says: {TRAIN}, which writes both"
            )


def _model_problems(home: Path, version: str, manifest: Manifest) -> list[str]:
    name = f"{version}/{manifest.model.file}"
    try:
        content = (home / manifest.model.file).read_bytes()
    except OSError as error:
        return [f"{name}: cannot be read: {error.strerror}; manifest.json names it: {TRAIN}"]
    digest = hashlib.sha256(content).hexdigest()
    if digest != manifest.model.sha256:
        return [
            f"{name}: given a file with sha256 {digest[:12]}…, allowed is "
            f"{manifest.model.sha256[:12]}…, as manifest.json says: restore the file, or {TRAIN}"
        ]
    return [f"{name}: {problem}" for problem in _signature_problems(content, manifest)]


def _signature_problems(content: bytes, manifest: Manifest) -> list[str]:
    import onnxruntime  # costs a tenth of a second, which most uses of this package need not pay

    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no narrower class
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        return [f"is no ONNX model that onnxruntime can load ({said}): export it again"]
    inputs: dict[str, Any] = {tensor.name: tensor.shape[1:] for tensor in session.get_inputs()}
    outputs: dict[str, Any] = {tensor.name: tensor.shape[1:] for tensor in session.get_outputs()}
    model, width = manifest.model, len(manifest.features)
    problems = []
    if inputs != {model.input: [width]}:
        problems.append(
            f"takes {_tensors(inputs)}, allowed is {model.input!r} of width {width} alone, as "
            f"manifest.json and schema.json have {width} features: {TRAIN}"
        )
    if outputs.get(model.output) != [2]:
        problems.append(
            f"gives {_tensors(outputs)}, allowed is {model.output!r} of width 2, one probability "
            f"to a class: export it without its class map (zipmap=False)"
        )
    return problems


def _tensors(tensors: dict[str, Any]) -> str:
    return ", ".join(
        f"{name!r} of width {' x '.join(map(str, shape)) or '1'}" for name, shape in tensors.items()
    )
