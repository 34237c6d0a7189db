"""A model version's folder: the manifest and the files beside it, checked against each other."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from steelyard.spec.document import read_json
from steelyard.spec.feature_code import code_problems, row_width
from steelyard.spec.manifest import Manifest, NamedFile
from steelyard.spec.parse import given, parse
from steelyard.spec.rows import background_problems
from steelyard.spec.task import output_widths, task_problems

TRAIN = "run the training script of this endpoint again"
# What of a property's rule must be as the feature table has it; the rest is for people.
_RULES = ("type", "minimum", "maximum", "enum")


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
        *task_problems(manifest, name),
        *_schema_problems(home, version, manifest),
        *_file_problems(home, version, manifest),
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
    is_open = manifest.unknown_fields == "record"
    if raw.get("additionalProperties") is not is_open:
        problems.append(
            f"{name}: additionalProperties: is not {json.dumps(is_open)}, as it must be where "
            f"manifest.json says {manifest.unknown_fields!r} in unknown_fields: {TRAIN}"
        )
    required = raw.get("required")
    if not isinstance(required, list) or {*map(str, required)} != {*properties}:
        problems.append(f"{name}: required: does not list exactly the properties: {TRAIN}")
    return problems


def _property_problems(name: str, properties: dict[str, Any], manifest: Manifest) -> Iterator[str]:
    features = {feature.name: feature for feature in manifest.features}
    odd = sorted({*properties} ^ {*features})
    if odd:
        yield (
            f"{name}: properties: differ from the features of manifest.json in "
            f"{', '.join(odd)}: {TRAIN}, which writes both"
        )
    elif list(properties) != list(features):
        yield (
            f"{name}: properties: are in another order than the features of manifest.json, which "
            f"is the model's: {TRAIN}, which writes both"
        )
    for feature in [name for name in features if name in properties]:
        wanted, found = features[feature].rule(), properties[feature]
        for key in _RULES:
            said = found.get(key) if isinstance(found, dict) else None
            if said != wanted.get(key):
                yield (
                    f"{name}: {feature}.{key}: given {_or_nothing(said)}, allowed is "
                    f"{_or_nothing(wanted.get(key))}, as manifest.json says: {TRAIN}, which "
                    f"writes both"
                )


def _or_nothing(value: Any) -> str:
    return "nothing" if value is None else given(value)


def _file_problems(home: Path, version: str, manifest: Manifest) -> Iterator[str]:
    """Yield a sentence for each problem of the files that the manifest names."""
    model, code, background = manifest.model, manifest.feature_code, manifest.explanation
    width = row_width(home, manifest)
    for named in (model, code, background):
        if named is None:
            continue
        name = f"{version}/{named.file}"
        content, problem = _content(home, named)
        if content is None:
            yield f"{name}: {problem}"
        elif named is model:
            yield from (f"{name}: {it}" for it in _signature_problems(content, manifest, width))
        elif named is code:
            yield from code_problems(home, manifest, content, name)
        else:
            yield from background_problems(home / named.file, name, version, manifest)


def _content(home: Path, named: NamedFile) -> tuple[bytes | None, str]:
    try:
        content = (home / named.file).read_bytes()
    except OSError as error:
        return None, f"cannot be read: {error.strerror}; manifest.json names it: {TRAIN}"
    digest = hashlib.sha256(content).hexdigest()
    if digest != named.sha256:
        return None, (
            f"given a file with sha256 {digest[:12]}…, allowed is {named.sha256[:12]}…, as "
            f"manifest.json says: restore the file, or {TRAIN}"
        )
    return content, ""


def _signature_problems(content: bytes, manifest: Manifest, width: int | None) -> list[str]:
    import onnxruntime  # costs a tenth of a second, which most uses of this package need not pay

    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no narrower class
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        return [f"is no ONNX model that onnxruntime can load ({said}): export it again"]
    inputs: dict[str, Any] = {tensor.name: tensor.shape[1:] for tensor in session.get_inputs()}
    outputs: dict[str, Any] = {tensor.name: tensor.shape[1:] for tensor in session.get_outputs()}
    return [*_input_problems(inputs, manifest, width), *_output_problems(outputs, manifest)]


def _input_problems(inputs: dict[str, Any], manifest: Manifest, width: int | None) -> Iterator[str]:
    name, code = manifest.model.input, manifest.feature_code
    if width is None or inputs == {name: [width]}:  # without a width, its reason is told
        return
    why = f"manifest.json and schema.json have {width} features"
    if code is not None:
        why = f"{code.file} makes rows of {width} numbers"
    yield (
        f"takes {_tensors(inputs)}, allowed is {name!r} of width {width} alone, as {why}: {TRAIN}"
    )


def _output_problems(outputs: dict[str, Any], manifest: Manifest) -> Iterator[str]:
    name, allowed = manifest.model.output, output_widths(manifest)
    if outputs.get(name) in allowed:
        return
    what = (
        f"the value: {TRAIN}"
        if manifest.task == "regression"
        else "one probability to a class: export it without its class map (zipmap=False)"
    )
    yield f"gives {_tensors(outputs)}, allowed is {name!r} of width {allowed[0][0]}, {what}"


def _tensors(tensors: dict[str, Any]) -> str:
    return ", ".join(
        f"{name!r} of width {' x '.join(map(str, shape)) or '1'}" for name, shape in tensors.items()
    )
