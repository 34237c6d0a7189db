"""How a rollout must end: as somebody says, else as the faults and the held-out rows say."""

import pytest

from steelyard.cli.cast import Wish, cast
from steelyard.cli.place import Unusable
from steelyard.spec import load
from tests.steelyard.spec.sample import EXAMPLE, copy_example, edit

ENDPOINT = load(EXAMPLE)


@pytest.mark.parametrize(
    ("challenger", "faults", "said", "expected"),
    [
        (None, [], None, "promoted"),
        (None, ["dead@2"], None, "aborted"),
        ("v1-2-0", [], None, "aborted"),
        ("v1-2-0", ["dead@2"], None, "aborted"),
        ("v1-2-0", [], "promoted", "promoted"),
        (None, ["dead@2"], "promoted", "promoted"),
        (None, [], "aborted", "aborted"),
    ],
)
def test_what_is_said_wins_over_what_the_rows_and_faults_say(challenger, faults, said, expected):
    (one,) = cast(ENDPOINT, [Wish("a rollout", challenger, faults, said)])

    assert one.expected == expected
    assert one.is_worse == (challenger == "v1-2-0")


def test_a_challenger_within_the_margin_is_expected_to_be_promoted(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("margin: 2%", "margin: 57%"))

    (one,) = cast(load(folder), [Wish("a rollout", "v1-2-0", [], None)])

    assert one.expected == "promoted"


def test_the_weights_are_the_files_steps_and_then_all(tmp_path):
    (one,) = cast(ENDPOINT, [Wish("a rollout", None, ["dead@50%"], None)])

    assert one.weights == (5, 25, 50, 100)
    assert one.faults[0].step == 2


@pytest.mark.parametrize(
    ("challenger", "faults", "expected"),
    [(None, [], "passed"), ("v1-2-0", [], "aborted"), (None, ["dead@1"], "aborted")],
)
def test_a_shadow_run_has_one_step_beside_the_champion_alone(challenger, faults, expected):
    (one,) = cast(ENDPOINT, [Wish("a shadow run", challenger, faults, None, shadow=True)])

    assert (one.is_shadow, one.weights, one.expected) == (True, (50,), expected)
    roles = [variant.role for variant in one.endpoint.file.variants]
    assert roles == ["champion", "shadow"]


def test_the_problems_of_every_wish_are_said_at_once_and_each_once():
    wishes = [
        Wish("one", "v9-0-0", ["zap"], None),
        Wish("two", "v9-0-0", ["dead@soak", "dead@1"], None),
        Wish("three", "v8-0-0", [], None),
    ]

    with pytest.raises(Unusable) as caught:
        cast(ENDPOINT, wishes)

    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        "fault 'zap'",
        "v9-0-0",
        "faults of 'two'",
        "v8-0-0",
    ]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["pause@2", "resume@2+1m"], "promoted"),
        (["deploy@2", "start@2"], "promoted"),
        (["revert@end"], "promoted"),
        (["kill-watchdog@1"], "promoted"),
        (["abort@2"], "aborted"),
        (["stop-execution@25%"], "aborted"),
        (["kill-judge@1"], "aborted"),
        (["config-change@1"], "aborted"),
    ],
)
def test_an_event_that_must_end_the_rollout_is_expected_to(events, expected):
    (one,) = cast(ENDPOINT, [Wish("a rollout", None, [], None, events)])

    assert (one.expected, [event.text for event in one.events]) == (expected, events)


def test_an_event_that_cannot_be_played_is_said_with_the_faults():
    with pytest.raises(Unusable) as caught:
        cast(ENDPOINT, [Wish("one", None, ["zap"], None, ["pause@9"])])

    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        "fault 'zap'",
        "event 'pause@9'",
    ]
