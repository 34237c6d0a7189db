"""Fields of endpoint.yaml that contradict each other are found, whatever else is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.policy import Policy
from steelyard.spec.document import Document
from steelyard.spec.endpoint import Rollout
from steelyard.spec.relations import LONGEST_SUFFIX, relations
from tests.steelyard.spec.sample import copy_example, edit, problems_of

LAMBDAS = Path(__file__).resolve().parents[3] / "lambdas"


def sentences(raw: dict) -> list[str]:
    """Return the contradictions of a file, faults being all right."""
    return relations(Document("endpoint.yaml", raw), lambda _text, _weights: None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            [("version: v1-1-0", "version: v1-0-0")],
            "endpoint.yaml, line 7: variants[1].version: given v1-0-0 a second time",
        ),
        (
            [("role: challenger", "role: champion")],
            "endpoint.yaml, line 7: variants[1].role: given 2 variants with the role champion",
        ),
        (
            [("role: champion", "role: challenger")],
            "endpoint.yaml, line 7: variants[1].role: given 2 variants with the role challenger",
        ),
        (
            [("role: champion", "role: previous")],
            "endpoint.yaml, line 5: variants: given no variant with the role champion",
        ),
        (
            [("weight: 25", "weight: 5")],
            "endpoint.yaml, line 12: rollout.steps[1].weight: given 5, allowed is above 5",
        ),
        (
            [("weight: 50", "weight: 20")],
            "endpoint.yaml, line 13: rollout.steps[2].weight: given 20, allowed is above 25",
        ),
        (
            [("longest: 1 hour", "longest: 31 minutes")],
            "endpoint.yaml, line 15: rollout.longest: given 31 minutes, allowed is more than a "
            "minute above the longest bake or soak, 30 minutes",
        ),
        (
            [("minimum_requests: 50", "minimum_requests: 721")],
            "endpoint.yaml, line 17: rollout.minimum_requests: given 721, allowed is at most 720",
        ),
        (
            [("challenger: v1-2-0", "challenger: v1-0-0")],
            "endpoint.yaml, line 40: rehearsal[1].challenger: given v1-0-0, the champion",
        ),
        (
            [("  staging:", f"  {'s' * 36}:")],
            f"endpoint.yaml, line 44: environments.{'s' * 36}: given "
            f"'tumour-classifier-{'s' * 36}', which has 54 characters, allowed is 52",
        ),
    ],
)
def test_a_contradiction_is_found(tmp_path, changes, expected):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", *changes)

    assert expected in [problem[: len(expected)] for problem in problems_of(folder)]


def test_a_contradiction_is_found_beside_a_wrong_field_of_the_same_section(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("weight: 25", "weight: 5"), ("soak: 30 minutes", "soak: 30"))

    said = "\n".join(problems_of(folder))

    assert "rollout.soak: given 30," in said
    assert "rollout.steps[1].weight: given 5, allowed is above 5" in said


def test_no_function_of_ours_has_a_longer_name_than_the_limit_allows_for():
    handlers = [path.stem for path in LAMBDAS.glob("*.py") if "def handler(" in path.read_text()]

    assert handlers
    assert max(len(f"-{handler}") for handler in handlers) <= len(LONGEST_SUFFIX)


def test_names_at_the_limit_are_allowed_and_one_character_more_is_not():
    raw = {"endpoint": "e" * 40, "environments": {"s" * 11: {}}}

    assert sentences(raw) == []

    raw["environments"] = {"s" * 12: {}}
    assert len(sentences(raw)) == 1


@pytest.mark.parametrize(
    "raw", [None, [], "text", {}, {"variants": 5, "rollout": [], "rehearsal": {"a": 1}}]
)
def test_a_file_of_another_shape_has_no_contradictions_of_its_own(raw):
    assert sentences(raw) == []


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "variants",
                    "version",
                    "role",
                    "rollout",
                    "steps",
                    "weight",
                    "bake",
                    "longest",
                    "environments",
                    "rehearsal",
                    "faults",
                    "challenger",
                    "endpoint",
                    "traffic",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_like)
def test_no_file_whatever_it_holds_brings_the_checks_down(raw):
    sentences(raw)


weights = st.lists(st.integers(1, 99), min_size=1, max_size=5, unique=True).map(sorted)
lengths = st.integers(1, 7200)


@given(weights, lengths, lengths, lengths)
def test_whatever_passes_is_a_policy_that_the_lambdas_accept(steps, bake, soak, longest):
    raw = {
        "steps": [{"weight": weight, "bake": f"{bake} seconds"} for weight in steps],
        "soak": f"{soak} seconds",
        "longest": f"{longest} seconds",
    }
    rollout = Rollout.model_validate(raw)
    policy = {
        "schema": 1,
        "steps": [{"weight": it.weight, "bake_seconds": it.bake} for it in rollout.steps],
        "soak_seconds": rollout.soak,
        "longest_seconds": rollout.longest,
        "pause_seconds": rollout.pause,
        "settle_seconds": 90,
        "false_rollback": rollout.false_rollback,
        "tolerance": rollout.tolerance.model_dump(),
        "expected": {"score": 0.1, "confidence": 0.1},
        "minimum_requests": rollout.minimum_requests,
        "undecided": rollout.undecided,
        "patience_minutes": 1,
        "warmup_seconds": rollout.warm_up,
        "latency_edges": [],
    }

    if sentences({"rollout": raw}) == []:
        assert Policy.from_dict(policy).soak_seconds == soak
