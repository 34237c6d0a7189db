"""A folder is refused with all its problems at once; a good one compiles to its policy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from steelyard.cli.assemble import QUIET
from steelyard.rollout.conduct import Conduct, Window
from steelyard.rollout.policy import Policy, Tolerance
from steelyard.spec import SpecError, load
from steelyard.spec.held_out import is_worse, measure
from tests.steelyard.spec.sample import (
    EXAMPLE,
    STAGING,
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
        f"endpoint.yaml, line {STAGING + 1}",
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

    def check(field, text, weights):
        seen.append((field, text, list(weights)))
        return "is nonsense"

    with pytest.raises(SpecError) as caught:
        load(EXAMPLE, check)

    assert ("faults", "dead@25%", [5, 25, 50, 100]) in seen
    assert all(weights == [5, 25, 50, 100] for _, _, weights in seen)
    assert "endpoint.yaml, line 41: rehearsal[2].faults[0]: is nonsense" in caught.value.problems
    assert len(caught.value.problems) == len(seen)


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


def compiled(tmp_path, *lines):
    """Return the example's policy with these lines in its rollout."""
    folder = copy_example(tmp_path)
    soak = "  soak: 30 minutes"
    edit(folder / "endpoint.yaml", (soak, "\n  ".join([soak, *lines])))
    return load(folder).policy()


def test_what_is_agreed_reaches_the_lambdas_in_their_units(tmp_path):
    policy = compiled(
        tmp_path,
        "confirm: [start, promotion]",
        "freeze:",
        "  - {from: Fri 16:30, until: Mon 06:00}",
        "  - {from: 2026-12-24 00:00, until: 2026-12-27 00:00}",
        "deadline: 2 days",
        "headroom: 20%",
        "champion_scale_out: allow",
        "promotion_margin: {errors_absolute: 5%}",
        "false_promotion: 2%",
    )

    friday, monday = (4 * 24 * 60 + 16 * 60 + 30) * 60, 6 * 3600
    assert policy.conduct == Conduct(
        confirm=("start", "promotion"),
        freeze=(
            Window(weekly=True, begin=friday, end=monday),
            Window(weekly=False, begin=1_798_070_400, end=1_798_329_600),
        ),
        deadline_seconds=2 * 86400,
        headroom=0.2,
        champion_scale_out="allow",
    )
    assert policy.promotion_margin == Tolerance(1.0, 0.05, 1.0, 0.3)
    assert policy.false_promotion == 0.02


@pytest.mark.parametrize(
    ("lines", "hours"),
    [
        # Three steps and the soak, an hour and two of pause each.
        ([], 12),
        (["confirm: [start]"], 14),
        (["confirm: [start, promotion]"], 16),
        (["freeze: [{from: Fri 16:00, until: Mon 06:00}]"], 12 + 62),
        (["freeze: [{from: 2026-12-24 00:00, until: 2026-12-25 00:00}]"], 12 + 24),
        (["freeze: [{from: 2026-12-01 00:00, until: 2026-12-31 00:00}]"], 30 * 24),
    ],
)
def test_without_a_deadline_a_rollout_may_wait_wherever_it_may(tmp_path, lines, hours):
    assert compiled(tmp_path, *lines).conduct.deadline_seconds == hours * 3600


def test_a_margin_that_nobody_wrote_gives_way_to_a_wider_tolerance(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("predictions: 10%", "predictions: 40%"))

    policy = load(folder).policy()

    assert policy.promotion_margin == Tolerance(1.0, 0.02, 1.0, 0.4)


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


def shadowed(tmp_path, lines=""):
    """Return the example with its challenger as shadow, and these lines in its rollout."""
    folder = copy_example(tmp_path)
    changes = [("role: challenger", "role: shadow"), ("  soak:", f"{lines}  soak:")]
    edit(folder / "endpoint.yaml", *changes)
    return load(folder)


def test_a_shadow_run_is_judged_as_strictly_as_a_rollout_in_one_step_without_gates(tmp_path):
    lines = (
        "  undecided: advance\n  confirm: [start]\n"
        "  freeze: [{from: Fri 01:00, until: Sat 01:00}]\n"
    )

    endpoint = shadowed(tmp_path, lines)

    policy, rollout = endpoint.trial_policy(), endpoint.policy()
    assert policy == endpoint.shadow_policy()
    # The longest bake of the steps, where the file gives none of its own.
    assert [(step.weight, step.bake_seconds) for step in policy.steps] == [(50, 900)]
    assert (policy.tolerance, policy.expected) == (rollout.tolerance, rollout.expected)
    assert policy.undecided == "pause"
    assert policy.conduct == Conduct(deadline_seconds=1800 + 3600 + 7200)
    assert Policy.from_dict(policy.to_dict()) == policy


def test_a_shadow_run_s_bake_is_the_one_that_the_file_gives_it(tmp_path):
    policy = shadowed(tmp_path, "  shadow: {bake: 40 minutes}\n").trial_policy()

    assert policy.steps[0].bake_seconds == 2400


def test_a_challenger_has_the_shadow_run_s_policy_before_it_and_its_own_now():
    endpoint = load(EXAMPLE)

    assert endpoint.trial_policy() == endpoint.policy()
    assert endpoint.with_shadow().trial_policy() == endpoint.shadow_policy()


def test_another_shadow_takes_the_place_of_the_first():
    other = load(EXAMPLE).with_shadow().with_challenger("v1-2-0")

    assert [(it.version, it.role) for it in other.file.variants] == [
        ("v1-0-0", "champion"),
        ("v1-2-0", "shadow"),
    ]
