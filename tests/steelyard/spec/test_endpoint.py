"""Each wrong field of endpoint.yaml is answered by one sentence with line, given, allowed, cure."""

import pytest

from steelyard.spec import load
from tests.steelyard.spec.sample import STAGING, copy_example, edit, problems_of

WEIGHT = "allowed is a whole number from 1 to 99, not in quotes"
UNITS = "allowed is a number with its unit: milliseconds, seconds, minutes, hours or days"
SHARE = "allowed is a percentage from 0% to 100%, or a fraction below 1: write for example 5%"
COUNT = "allowed is a whole number of 1 or more, not in quotes: write for example 2"
MOMENT = "allowed is a day and a time of each week, or a date and a time, in UTC: write for example"
PLACE = f"line {STAGING}: environments.staging."
NAME = "allowed is lower-case letters, digits and single hyphens, beginning with a letter"

SCALED = "instance_count: 2, scaling: {min: 1, max: 4, invocations_per_instance: 240}}"


def rollout(line, rest):
    """Return a wrong line of the rollout's section, and how its only problem reads."""
    return ("  soak: 30 minutes", f"  soak: 30 minutes\n  {line}", f"line 15: rollout.{rest}")


def scaling(old, new, rest):
    """Return a champion whose scaling is wrong, and how its only problem reads."""
    wrong = SCALED.replace(old, new)
    return ("instance_count: 2}", wrong, f"line 6: variants[0].{rest}")


# What stands in the file, what is written instead, and how the only problem begins and goes on.
WRONG = [
    ("weight: 5,", "weight: 0,", "line 11: rollout.steps[0].weight: given 0, " + WEIGHT),
    ("weight: 5,", "weight: 100,", "line 11: rollout.steps[0].weight: given 100, " + WEIGHT),
    ("weight: 5,", 'weight: "5",', "line 11: rollout.steps[0].weight: given '5', " + WEIGHT),
    ("weight: 5,", "weight: true,", "line 11: rollout.steps[0].weight: given true, " + WEIGHT),
    ("weight: 5,", "weight: 5.0,", "line 11: rollout.steps[0].weight: given 5.0, " + WEIGHT),
    ("weight: 5,", "weight: ,", "line 11: rollout.steps[0].weight: is empty, " + WEIGHT),
    ("weight: 5,", "weight: [5],", "line 11: rollout.steps[0].weight: given [5], " + WEIGHT),
    ("weight: 5, ", "", "line 11: rollout.steps[0].weight: is missing, " + WEIGHT),
    ("bake: 15 minutes", "bake: 15", "line 11: rollout.steps[0].bake: given 15, " + UNITS),
    ("bake: 15 minutes", "bake: 15 m", "line 11: rollout.steps[0].bake: given '15 m', " + UNITS),
    (
        "bake: 15 minutes",
        "bake: 0 minutes",
        "line 11: rollout.steps[0].bake: given '0 minutes', allowed is above 0 and at most 30 days",
    ),
    ("margin: 2%", "margin: 2", "line 33: held_out.margin: given 2, " + SHARE),
    ("margin: 2%", "margin: two", "line 33: held_out.margin: given 'two', " + SHARE),
    (
        "false_rollback: 1%",
        "false_rollback: 50%",
        "line 18: rollout.false_rollback: given '50%', allowed is a percentage above 0% and below",
    ),
    (
        "errors_absolute: 0.1%",
        "errors_absolute: 100%",
        "line 21: rollout.tolerance.errors_absolute: given '100%', allowed is a percentage below",
    ),
    (
        "error_rate: 30%",
        "error_rate: 100%",
        "line 25: alarms.error_rate: given '100%', allowed is a percentage above 0% and below 100%",
    ),
    (
        "latency_p99: 500 milliseconds",
        "latency_p99: 61 seconds",
        "line 26: alarms.latency_p99: given '61 seconds', allowed is a duration from 1 millisecond "
        "to 60 seconds: write for example 500 milliseconds",
    ),
    (
        "role: champion",
        "role: boss",
        "line 6: variants[0].role: given 'boss', allowed is champion, challenger, previous, "
        "shadow: write",
    ),
    (
        "version: v1-1-0",
        "version: 1.1.0",
        "line 7: variants[1].version: given '1.1.0', allowed is the name of a version's folder",
    ),
    (
        "ml.c6i.large",
        "c6i.large",
        "line 6: variants[0].instance_type: given 'c6i.large', allowed is a SageMaker instance",
    ),
    (
        "ml.c6i.large",
        "ml.c6i.huge",
        "line 6: variants[0].instance_type: given 'ml.c6i.huge', allowed is a SageMaker instance",
    ),
    (
        "instance_count: 2",
        "instance_count: 0",
        "line 6: variants[0].instance_count: given 0, " + COUNT,
    ),
    (
        "minimum_requests: 50",
        "minimum_requests: '50'",
        "line 17: rollout.minimum_requests: given '50', " + COUNT,
    ),
    (
        "requests_per_minute: 240",
        "requests_per_minute: 0",
        "line 36: traffic.requests_per_minute: given 0, allowed is a number above 0, not in quotes",
    ),
    (
        "requests_per_minute: 240",
        "requests_per_minute: .nan",
        "line 36: traffic.requests_per_minute: given nan, allowed is a number above 0",
    ),
    (
        "file: heldout.csv",
        "file: ../heldout.csv",
        "line 30: held_out.file: given '../heldout.csv', allowed is the name of a file in this",
    ),
    (
        "metric: accuracy",
        "metric: auc",
        "line 32: held_out.metric: given 'auc', allowed is accuracy, log_loss, ",
    ),
    (
        '"111122223333"',
        "111122223333",
        PLACE + "account: given 111122223333, allowed is an account's 12",
    ),
    (
        '"111122223333"',
        '"11112222333"',
        PLACE + "account: given '11112222333', allowed is an account's 12",
    ),
    (
        "region: eu-central-1",
        "region: frankfurt",
        PLACE + "region: given 'frankfurt', allowed is a region of the part",
    ),
    (
        "region: eu-central-1",
        "region: cn-north-1",
        PLACE + "region: given 'cn-north-1', allowed is a region of the part",
    ),
    ("  staging:", "  Staging:", f"line {STAGING}: environments.Staging: given 'Staging', " + NAME),
    (
        "endpoint: tumour-classifier",
        "endpoint: Tumour_Classifier",
        "line 2: endpoint: given 'Tumour_Classifier', " + NAME,
    ),
    (
        "faults: [dead@25%]",
        "faults: dead@25%",
        "line 41: rehearsal[2].faults: given 'dead@25%', allowed is a list: write each item",
    ),
    (
        "expect: promoted",
        "expect: success",
        "line 39: rehearsal[0].expect: given 'success', allowed is promoted, passed, aborted: "
        "write one",
    ),
    (
        "  soak: 30 minutes",
        "  soak: 30 minutes\n  bakes: 3",
        "line 15: rollout.bakes: is not a field here, allowed is steps, soak, longest, pause",
    ),
    (
        "margin: 2%",
        "margn: 2%",
        "line 33: held_out.margn: is not a field here, allowed is file, label, metric, margin: "
        "write margin",
    ),
    rollout("confirm: start", "confirm: given 'start', allowed is a list: write each item"),
    rollout("confirm: [begin]", "confirm[0]: given 'begin', allowed is start, promotion: write"),
    rollout("freeze: {}", "freeze: given {}, allowed is a list: write each item in a line"),
    rollout("freeze: [{until: Mon 06:00}]", f"freeze[0].from: is missing, {MOMENT}"),
    rollout(
        "freeze: [{from: Fri 16:00, till: Mon 06:00, until: Sat 00:00}]",
        "freeze[0].till: is not a field here, allowed is from, until: write until",
    ),
    rollout(
        "freeze: [{from: Friday 16:00, until: Mon 06:00}]",
        f"freeze[0].from: given 'Friday 16:00', {MOMENT}",
    ),
    rollout(
        "freeze: [{from: Fri 16:00, until: Mon 24:00}]",
        f"freeze[0].until: given 'Mon 24:00', {MOMENT}",
    ),
    rollout(
        "freeze: [{from: 2026-02-30 00:00, until: 2026-03-02 00:00}]",
        f"freeze[0].from: given '2026-02-30 00:00', {MOMENT}",
    ),
    rollout(
        "freeze: [{from: 2026-12-24, until: 2026-12-27 00:00}]",
        f"freeze[0].from: given a date, {MOMENT}",
    ),
    rollout("deadline: 12", "deadline: given 12, " + UNITS),
    rollout("deadline: 31 days", "deadline: given '31 days', allowed is above 0 and at most 30"),
    rollout("headroom: 100%", "headroom: given '100%', allowed is a percentage below 100%"),
    rollout("champion_scale_out: yes", "champion_scale_out: given true, allowed is hold, allow"),
    rollout("false_promotion: 0%", "false_promotion: given '0%', allowed is a percentage above"),
    rollout(
        "promotion_margin: {latency: fast}",
        "promotion_margin.latency: given 'fast', " + SHARE,
    ),
    rollout(
        "promotion_margin: {errors: 5%}",
        "promotion_margin.errors: is not a field here, allowed is errors_relative, errors_abs",
    ),
    scaling("min: 1", "min: 0", "scaling.min: given 0, " + COUNT),
    scaling("min: 1, ", "", "scaling.min: is missing, " + COUNT),
    scaling("max: 4", "max: '4'", "scaling.max: given '4', " + COUNT),
    scaling(
        "240", "0", "scaling.invocations_per_instance: given 0, allowed is a number above 0, not in"
    ),
    scaling("240", "240, cpu: 0%", "scaling.cpu: given '0%', allowed is a percentage above 0%"),
    scaling("{min: 1, max: 4, invocations_per_instance: 240}", "4", "scaling: given 4, allowed is"),
    (
        "traffic:\n  requests_per_minute: 240",
        "traffic: 240",
        "line 35: traffic: given 240, allowed is a mapping with requests_per_minute: write these",
    ),
    (
        "traffic:\n  requests_per_minute: 240",
        "",
        "traffic: is missing, allowed is a mapping with requests_per_minute: write these",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), WRONG)
def test_a_wrong_field_is_answered_by_one_sentence(tmp_path, old, new, expected):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", (old, new))

    problems = problems_of(folder)

    expected = f"endpoint.yaml{', ' if expected.startswith('line') else ': '}{expected}"
    assert [problem[: len(expected)] for problem in problems] == [expected]


@pytest.mark.parametrize("content", ["just text", "- a\n- b", "5"])
def test_a_file_that_is_no_mapping_is_told_its_fields(tmp_path, content):
    folder = copy_example(tmp_path)
    (folder / "endpoint.yaml").write_text(content)

    (problem,) = problems_of(folder)

    assert problem.startswith("endpoint.yaml: given ")
    assert "allowed is a mapping with endpoint, description, variants, rollout" in problem


@pytest.mark.parametrize(("section", "rest"), [("environments", ""), ("variants", "rollout:")])
def test_an_empty_list_is_answered_with_an_example(tmp_path, section, rest):
    folder = copy_example(tmp_path)
    path = folder / "endpoint.yaml"
    before, _, after = path.read_text().partition(f"\n{section}:")
    kept = f"\n{rest}{after.partition(rest)[2]}" if rest else ""
    path.write_text(f"{before}\n{section}: []{kept}\n")

    (problem,) = problems_of(folder)

    assert f"{section}: given [], allowed is" in problem
    assert "write for example" in problem


def test_no_sentence_shows_a_whole_section_that_stands_in_a_wrong_place(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("label: label", f"label: [{', '.join('x' * 999)}]"))

    assert all(len(problem) < 300 for problem in problems_of(folder))


def test_the_example_is_right_as_it_is(tmp_path):
    assert load(copy_example(tmp_path)).champion.version == "v1-0-0"
