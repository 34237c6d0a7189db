"""Fields of endpoint.yaml that contradict each other are found, whatever else is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.policy import Expected, Policy
from steelyard.spec import load
from steelyard.spec.document import Document
from steelyard.spec.relations import LONGEST_SUFFIX, relations
from steelyard.spec.rollout import Rollout
from tests.steelyard.spec.sample import STAGING, copy_example, edit, problems_of

LAMBDAS = Path(__file__).resolve().parents[3] / "lambdas"


SOAK = "  soak: 30 minutes"


AS_SHADOW = ("role: challenger", "role: shadow")
SHADOW_TOO = (
    "rollout:\n",
    "  - {version: v1-2-0, role: shadow, instance_type: ml.c6i.large, instance_count: 2}\n"
    "rollout:\n",
)


def scaled(role: str, scaling: str) -> tuple[str, str]:
    """Return the change that gives a variant this scaling."""
    rest = ", instance_type: ml.c6i.large, instance_count: 2"
    return (f"role: {role}{rest}", f"role: {role}{rest}, scaling: {{{scaling}}}")


def sentences(raw: dict) -> list[str]:
    """Return the contradictions of a file, faults being all right."""
    return relations(Document("endpoint.yaml", raw), lambda _field, _text, _weights: None)


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
            [(SOAK, f"{SOAK}\n  deadline: 70 minutes")],
            "endpoint.yaml, line 15: rollout.deadline: given 70 minutes, allowed is more than "
            "70 minutes, the bakes and the soak together, since no rollout could end in time: "
            "write 71 minutes or more",
        ),
        (
            [(SOAK, f"{SOAK}\n  confirm: [start, promotion, start]")],
            "endpoint.yaml, line 15: rollout.confirm[2]: given start a second time",
        ),
        (
            [(SOAK, f"{SOAK}\n  freeze: [{{from: Fri 16:00, until: 2026-12-24 00:00}}]")],
            "endpoint.yaml, line 15: rollout.freeze[0]: given from Fri 16:00 until 2026-12-24 "
            "00:00, allowed are two of one kind: write days of the week, or dates, for both",
        ),
        (
            [(SOAK, f"{SOAK}\n  freeze: [{{from: 2026-12-24 00:00, until: 2026-12-24 00:00}}]")],
            "endpoint.yaml, line 15: rollout.freeze[0]: given from 2026-12-24 00:00 until "
            "2026-12-24 00:00, allowed is an end after the begin: write a later until",
        ),
        (
            [(SOAK, f"{SOAK}\n  freeze: [{{from: Fri 16:00, until: Fri 16:00}}]")],
            "endpoint.yaml, line 15: rollout.freeze[0]: given from Fri 16:00 until Fri 16:00, ",
        ),
        (
            [(SOAK, f"{SOAK}\n  promotion_margin: {{errors_absolute: 0.05%}}")],
            "endpoint.yaml, line 15: rollout.promotion_margin.errors_absolute: given 0.05%, "
            "allowed is the tolerance's 0.1% or more, since what is tolerated may advance: raise",
        ),
        (
            [(SOAK, f"{SOAK}\n  promotion_margin: {{latency: 10%}}")],
            "endpoint.yaml, line 15: rollout.promotion_margin.latency: given 10%, allowed is the "
            "tolerance's 20% or more",
        ),
        (
            [scaled("champion", "min: 4, max: 3, invocations_per_instance: 240")],
            "endpoint.yaml, line 6: variants[0].scaling.max: given 3, allowed is 4, the min, or",
        ),
        (
            [scaled("champion", "min: 3, max: 5, invocations_per_instance: 240")],
            "endpoint.yaml, line 6: variants[0].instance_count: given 2, allowed is 3 to 5, "
            "between which it scales: write one of these, or change scaling",
        ),
        (
            [scaled("challenger", "min: 1, max: 3, invocations_per_instance: 79.5")],
            "endpoint.yaml, line 7: variants[1].scaling.max: given 3, allowed is 4 or more, which "
            "the last step, the soak at weight 100, needs for 240 requests a minute at 79.5 an "
            "instance: raise it",
        ),
        (
            [("challenger: v1-2-0", "challenger: v1-0-0")],
            "endpoint.yaml, line 40: rehearsal[1].challenger: given v1-0-0, the champion",
        ),
        (
            [("role: challenger", "role: previous"), SHADOW_TOO],
            "endpoint.yaml, line 7: variants[1].role: given previous beside a shadow, allowed is "
            "the champion alone, since with a shadow SageMaker takes one production variant only, "
            "which is the champion: remove previous first",
        ),
        (
            [SHADOW_TOO],
            "endpoint.yaml, line 7: variants[1].role: given challenger beside a shadow, allowed "
            "is the champion alone, since one is on trial at a time: remove it, or the shadow",
        ),
        (
            [scaled("challenger", "min: 1, max: 3, invocations_per_instance: 80"), AS_SHADOW],
            "endpoint.yaml, line 7: variants[1].scaling: given for a shadow, allowed is none",
        ),
        (
            [(SOAK, f"{SOAK}\n  shadow: {{bake: 59 minutes}}")],
            "endpoint.yaml, line 16: rollout.longest: given 1 hour, allowed is more than a minute "
            "above the longest bake or soak, 59 minutes",
        ),
        (
            [("challenger: v1-2-0, expect", "shadow: true, expect"), ("aborted}", "promoted}")],
            "endpoint.yaml, line 40: rehearsal[1].expect: given promoted, allowed is passed or "
            "aborted, since a shadow run passes and a rollout promotes",
        ),
        (
            [("expect: promoted", "expect: passed")],
            "endpoint.yaml, line 39: rehearsal[0].expect: given passed, allowed is promoted or",
        ),
        (
            [("  staging:", f"  {'s' * 36}:")],
            f"endpoint.yaml, line {STAGING}: environments.{'s' * 36}: given "
            f"'tumour-classifier-{'s' * 36}', which has 54 characters, allowed is 52",
        ),
    ],
)
def test_a_contradiction_is_found(tmp_path, changes, expected):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", *changes)

    assert expected in [problem[: len(expected)] for problem in problems_of(folder)]


@pytest.mark.parametrize(
    "changes",
    [
        (SOAK, f"{SOAK}\n  deadline: 71 minutes"),
        (SOAK, f"{SOAK}\n  freeze: [{{from: Fri 16:00, until: Mon 06:00}}]"),
        (SOAK, f"{SOAK}\n  freeze: [{{from: 2026-12-24 00:00, until: 2026-12-24 00:01}}]"),
        (SOAK, f"{SOAK}\n  promotion_margin: {{latency: 20%}}"),
        # The tolerance of 40% is wider than the margin's default, which then gives way.
        ("predictions: 10%", "predictions: 40%"),
        scaled("champion", "min: 1, max: 2, invocations_per_instance: 1"),
        scaled("challenger", "min: 1, max: 3, invocations_per_instance: 80"),
        (SOAK, f"{SOAK}\n  shadow: {{bake: 58 minutes, required: true}}"),
        AS_SHADOW,
    ],
)
def test_what_just_fits_together_is_allowed(tmp_path, changes):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", changes)

    policy = load(folder).policy()

    assert Policy.from_dict(policy.to_dict()) == policy


def test_a_contradiction_is_found_beside_a_wrong_field_of_the_same_section(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("weight: 25", "weight: 5"), ("soak: 30 minutes", "soak: 30"))

    said = "\n".join(problems_of(folder))

    assert "rollout.soak: given 30," in said
    assert "rollout.steps[1].weight: given 5, allowed is above 5" in said


def test_a_margin_is_held_against_the_tolerance_that_nobody_wrote():
    (sentence,) = sentences({"rollout": {"promotion_margin": {"latency": "10%"}}})

    assert "given 10%, allowed is the tolerance's 20% or more" in sentence


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
                    "confirm",
                    "freeze",
                    "from",
                    "until",
                    "deadline",
                    "promotion_margin",
                    "tolerance",
                    "latency",
                    "scaling",
                    "min",
                    "max",
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
seconds = st.integers(1, 30 * 86400)
shares = st.integers(0, 99).map("{}%".format)
week = st.builds(
    "{} {:02}:{:02}".format,
    st.sampled_from(["Mon", "Wed", "Sun"]),
    st.integers(0, 23),
    st.integers(0, 59),
)
dates = st.builds("2026-12-{:02} {:02}:00".format, st.integers(1, 31), st.integers(0, 23))
moments = week | dates
agreed = st.fixed_dictionaries(
    {},
    optional={
        "confirm": st.lists(st.sampled_from(["start", "promotion"]), max_size=3),
        "freeze": st.lists(st.fixed_dictionaries({"from": moments, "until": moments}), max_size=3),
        "deadline": seconds.map("{} seconds".format),
        "headroom": shares,
        "champion_scale_out": st.sampled_from(["hold", "allow"]),
        "tolerance": st.fixed_dictionaries({}, optional={"latency": shares, "predictions": shares}),
        "promotion_margin": st.fixed_dictionaries(
            {}, optional={"latency": shares, "predictions": shares}
        ),
    },
)


@given(weights, lengths, lengths, lengths, agreed)
def test_whatever_passes_is_a_policy_that_the_lambdas_accept(steps, bake, soak, longest, agreed):
    raw = {
        "steps": [{"weight": weight, "bake": f"{bake} seconds"} for weight in steps],
        "soak": f"{soak} seconds",
        "longest": f"{longest} seconds",
        **agreed,
    }
    rollout = Rollout.model_validate(raw)

    if sentences({"rollout": raw}) == []:
        compiled = rollout.policy(Expected(score=0.1, confidence=0.1), latency_edges=())
        assert Policy.from_dict(compiled.to_dict()) == compiled
        assert compiled.soak_seconds == soak
