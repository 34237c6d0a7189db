"""A synthesis that fails says its cause; an assembly of something else is not played."""

import json
from pathlib import Path

import pytest

from steelyard.cli.assemble import mismatches, synthesise
from steelyard.cli.place import Unusable
from steelyard.rehearsal.assembly import Assembly, StackTemplate
from steelyard.rollout.policy import canonical
from steelyard.spec import load
from tests.steelyard.spec.sample import EXAMPLE, copy_example

ENDPOINT = load(EXAMPLE)
POLICY = canonical(ENDPOINT.policy().to_dict())


def app_that(tmp_path: Path, code: str) -> None:
    """Write an app that runs `code` in place of a synthesis."""
    (tmp_path / "app.py").write_text(code)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.stderr.write('x cannot be used:\\n  - y\\n'); sys.exit(2)",
         "x cannot be used:\n  - y"),
        ("import sys; sys.exit(3)", "synthesis ended with exit code 3 and without a word"),
        ("raise RuntimeError('the stack has no name')",
         "synthesis failed: RuntimeError: the stack has no name: mend it; `"),
    ],
)  # fmt: skip
def test_a_synthesis_that_fails_says_its_cause_and_shows_no_traceback(
    monkeypatch, tmp_path, code, expected
):
    app_that(tmp_path, code)
    monkeypatch.setattr("steelyard.cli.assemble.ROOT", tmp_path)

    with pytest.raises(Unusable) as caught:
        synthesise({tmp_path / "one": ENDPOINT, tmp_path / "two": ENDPOINT}, "staging")

    (problem,) = caught.value.problems
    assert problem.startswith(expected)
    assert "Traceback" not in problem


def test_the_file_that_is_spoiled_meanwhile_is_answered_in_the_apps_own_words(tmp_path):
    folder = copy_example(tmp_path)
    endpoint = load(folder)
    (folder / "heldout.csv").unlink()

    with pytest.raises(Unusable) as caught:
        synthesise({tmp_path / "out": endpoint}, "staging")

    assert str(caught.value.problems[0]).splitlines() == [
        f"{folder} cannot be used:",
        "  - heldout.csv: is missing: write rows that no version was trained on, "
        "which the rehearsal sends",
    ]


def assembly(variants=("v1-0-0", "v1-1-0"), challenger="v1-1-0", policy=POLICY) -> Assembly:
    """Return an assembly with no more than what is held against the endpoint."""
    resources = {
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": [{"VariantName": name} for name in variants]},
        },
        "Acquire": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Environment": {
                    "Variables": {"STEELYARD_CHALLENGER": challenger, "STEELYARD_POLICY": policy}
                }
            },
        },
    }
    stack = StackTemplate("stack", {"Resources": resources}, ())
    return Assembly(Path("out"), "111122223333", "eu-central-1", (stack,))


def test_an_assembly_of_the_endpoint_as_it_is_may_be_played():
    assert mismatches(assembly(), ENDPOINT) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"variants": ("v1-0-0", "v1-2-0")}, "has the variants v1-0-0, v1-2-0, allowed is one wit"),
        ({"variants": ("v1-1-0",)}, "has the variants v1-1-0, allowed is one with the champion v1"),
        ({"challenger": "v1-2-0"}, "has v1-2-0 on trial, allowed is v1-1-0, which is to be played"),
        ({"policy": json.dumps({"steps": []})}, "has another policy than endpoint.yaml and the"),
    ],
)
def test_an_assembly_of_something_else_is_refused(given, expected):
    (problem,) = mismatches(assembly(**given), ENDPOINT)

    assert problem.startswith(f"--assembly: {expected}")


@pytest.mark.proof
def test_what_is_synthesised_is_the_endpoint_as_it_is(tmp_path):
    synthesise({tmp_path / "out": ENDPOINT}, "staging")

    read = Assembly.read(tmp_path / "out" / "assembly-tumour-classifier-staging")

    assert mismatches(read, ENDPOINT) == []
    settings = [
        function["Properties"]["Environment"]["Variables"]
        for _, function in read.resources("AWS::Lambda::Function")
    ]
    # Were these called otherwise, nothing would be held against anything.
    assert any({"STEELYARD_CHALLENGER", "STEELYARD_POLICY"} <= {*found} for found in settings)
