"""A folder is refused with all its problems at once; a good one compiles to its policy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from steelyard.cli.assemble import QUIET
from steelyard.rollout.policy import Policy
from steelyard.spec import SpecError, load
from steelyard.spec.held_out import is_worse, measure
from tests.steelyard.spec.sample import (
    EXAMPLE,
    copy_example,
    edit,
    edit_json,
    problems_of,
    write_iris,
)

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def iris(tmp_path_factory) -> Path:
    """Give the folder of an endpoint that is quite unlike the example."""
    return write_iris(tmp_path_factory.mktemp("endpoints") / "iris")


def spoil(folder: Path) -> None:
    """Spoil file, manifest, schema, model and rows of a copy of the example."""
    edit(
        folder / "endpoint.yaml",
        ("weight: 5,", "weight: 0,"),
        ("  staging:", "  Staging:"),
        ("challenger: v1-2-0", "challenger: v9-0-0"),
        ("soak: 30 minutes", "soak: 30 minutes\n  soak: 31 minutes"),
    )
    edit(folder / "v1-0-0" / "manifest.json", ('"schema": 1,', '"schema": 1'))
    edit_json(folder / "v1-1-0" / "schema.json", lambda it: it["required"].pop())
    (folder / "v1-1-0" / "model.onnx").write_bytes(b"")
    edit(folder / "heldout.csv", ("\n14.53,", "\nabc,"))


def test_every_problem_of_a_folder_is_said_at_once(tmp_path):
    folder = copy_example(tmp_path)
    spoil(folder)

    places = [problem.split(": ")[0] for problem in problems_of(folder)]

    assert places == [
        "endpoint.yaml, line 15",
        "endpoint.yaml, line 11",
        "endpoint.yaml, line 45",
        "v1-0-0/manifest.json, line 3, column 3",
        "v1-1-0/schema.json",
        "v1-1-0/model.onnx",
        "v9-0-0",
        "heldout.csv, line 2",
    ]


def test_the_message_lists_the_problems_below_the_folder(tmp_path):
    folder = copy_example(tmp_path)
    spoil(folder)

    with pytest.raises(SpecError) as caught:
        load(folder)

    head, *listed = str(caught.value).splitlines()
    assert head == f"{folder} cannot be used:"
    assert listed == [f"  - {problem}" for problem in caught.value.problems]


def test_the_app_says_the_same_and_exits_with_2_and_writes_nothing(tmp_path):
    folder = copy_example(tmp_path)
    spoil(folder)
    with pytest.raises(SpecError) as caught:
        load(folder)

    app = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env=os.environ
        | QUIET
        | {
            "CDK_OUTDIR": str(tmp_path / "out"),
            "CDK_CONTEXT_JSON": f'{{"endpoints": "{tmp_path}"}}',
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (app.returncode, app.stdout, app.stderr) == (2, "", f"{caught.value}\n")
    assert not any(path.is_file() for path in (tmp_path / "out").rglob("*"))


def test_a_folder_without_its_file_is_told_to_begin_with_one(tmp_path):
    assert problems_of(tmp_path) == [
        "endpoint.yaml: is missing: begin with a copy of the example endpoint's file"
    ]


def test_faults_are_held_against_the_files_own_steps_where_they_matter(tmp_path):
    seen = []

    def check(text, weights):
        seen.append((text, list(weights)))
        return "is nonsense"

    with pytest.raises(SpecError) as caught:
        load(EXAMPLE, check)

    assert seen == [("dead@25%", [5, 25, 50, 100])]
    assert caught.value.problems == ("endpoint.yaml, line 41: rehearsal[2].faults[0]: is nonsense",)


def test_versions_with_different_bins_are_not_compared(tmp_path):
    folder = copy_example(tmp_path)
    edit_json(
        folder / "v1-1-0" / "manifest.json",
        lambda it: it["scores"]["score"]["edges"].__setitem__(1, 0.15),
    )

    (problem,) = problems_of(folder)

    assert problem.startswith("v1-1-0/manifest.json: scores.score.edges: given [0.0, 0.15, ")
    assert "allowed are the edges of v1-0-0, [0.0, 0.1, " in problem


def test_a_tolerance_that_leaves_the_judge_powerless_is_refused(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("predictions: 10%", "predictions: 86%"))

    assert problems_of(folder)[0].startswith(
        "endpoint.yaml, line 22: rollout.tolerance.predictions: given 86%, allowed is less than "
        "85.96%, since v1-1-0 differs from v1-0-0 by 14.04% in confidence on the held-out rows"
    )


def test_a_tolerance_just_below_is_allowed(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("predictions: 10%", "predictions: 85.9%"))

    assert load(folder).policy().tolerance.predictions == 0.859


def test_a_file_without_a_challenger_is_good_for_a_deployment_but_has_no_policy(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("role: challenger", "role: previous"))
    endpoint = load(folder)

    assert endpoint.versions() == ["v1-0-0", "v1-1-0"]
    with pytest.raises(SpecError, match="line 5: variants: given none with the role challenger"):
        endpoint.policy()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("v1-0-0", "challenger v1-0-0: given the champion, allowed is any other version"),
        ("v9-9-9", "v9-9-9: is missing, allowed is a version with a folder"),
        ("1.1.0", "challenger '1.1.0': allowed is the name of a version's folder"),
        ("../v1-1-0", "challenger '../v1-1-0': allowed is the name of a version's folder"),
    ],
)
def test_another_challenger_is_a_version_that_can_be_played(version, expected):
    with pytest.raises(SpecError) as caught:
        load(EXAMPLE).with_challenger(version)

    (problem,) = caught.value.problems
    assert problem.startswith(expected)


def test_a_challenger_that_the_file_does_not_name_is_checked_as_those_that_it_names(tmp_path):
    folder = copy_example(tmp_path)
    endpoint = load(folder)
    shutil.copytree(folder / "v1-1-0", folder / "v1-3-0")
    edit_json(
        folder / "v1-3-0" / "manifest.json",
        lambda it: (
            it.update(version="1.3.0"),
            it["latency"]["edges_seconds"].__setitem__(0, 0.0001),
        ),
    )

    with pytest.raises(SpecError, match=r"v1-3-0/manifest.json: latency.edges_seconds: given"):
        endpoint.with_challenger("v1-3-0")


def test_another_challenger_takes_the_place_and_the_instances_of_the_first():
    endpoint = load(EXAMPLE).with_challenger("v1-2-0")

    assert endpoint.versions() == ["v1-0-0", "v1-2-0"]
    assert endpoint.challenger.instance_type == "ml.c6i.large"
    assert endpoint.champion.version == "v1-0-0"


def test_the_examples_policy_is_one_that_the_lambdas_accept():
    policy = load(EXAMPLE).policy()

    assert Policy.from_dict(policy.to_dict()) == policy


def test_an_endpoint_quite_unlike_the_example_is_loaded_and_compiled(iris):
    endpoint = load(iris)
    policy = endpoint.policy()

    assert [(step.weight, step.bake_seconds) for step in policy.plan()] == [
        (10, 300),
        (40, 480),
        (100, 600),
    ]
    assert policy.expected.score > 0.5  # the champion is shy, the challenger is not
    assert Policy.from_dict(policy.to_dict()) == policy
    assert len(endpoint.rows) == 50
    assert endpoint.file.environments["live"].region == "us-east-1"


def test_an_endpoint_quite_unlike_the_example_is_measured_in_its_own_metric(iris):
    endpoint = load(iris)

    # Measured once with scikit-learn's log_loss on the models before their export.
    assert measure(endpoint, "v1-0-0") == pytest.approx(0.3555, abs=1e-3)
    assert measure(endpoint, "v2-0-0") == pytest.approx(0.1213, abs=1e-3)
    assert not is_worse(endpoint)
