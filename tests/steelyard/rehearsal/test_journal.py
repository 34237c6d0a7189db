"""What is noted of a rollout."""

import json

from steelyard.rehearsal.journal import Journal
from steelyard.rehearsal.router import Answer


def journal() -> Journal:
    return Journal("v1", "v2", [0.0, 0.5, 1.0])


def served(variant: str, *scores: float) -> Answer:
    predictions = [{"score": score} for score in scores]
    return Answer(variant, 200, json.dumps({"predictions": predictions}).encode())


def failed(variant: str, status: int = 500) -> Answer:
    return Answer(variant, status, b"")


def test_only_changes_of_weights_are_noted() -> None:
    notes = journal()

    changed = [
        notes.note_weights(0.0, {"v1": 100, "v2": 0}),
        notes.note_weights(5.0, {"v1": 100, "v2": 0}),
        notes.note_weights(10.0, {"v1": 75, "v2": 25}),
    ]

    assert changed == [True, False, True]
    assert notes.weights == [
        {"t_seconds": 0.0, "variant": "v1", "weight": 100},
        {"t_seconds": 0.0, "variant": "v2", "weight": 0},
        {"t_seconds": 10.0, "variant": "v1", "weight": 75},
        {"t_seconds": 10.0, "variant": "v2", "weight": 25},
    ]


def test_safe_is_when_the_challenger_has_lost_its_weight_and_not_before_it_had_any() -> None:
    notes = journal()

    notes.note_weights(0.0, {"v1": 100, "v2": 0})
    before = notes.t_safe
    notes.note_weights(10.0, {"v1": 75, "v2": 25})
    notes.note_weights(20.0, {"v1": 100, "v2": 0})

    assert (before, notes.t_safe) == (None, 20.0)


def test_bad_requests_are_the_challengers_from_the_fault_until_it_is_safe() -> None:
    notes = journal()
    notes.note_weights(0.0, {"v1": 75, "v2": 25})

    notes.note_answers(0.0, [served("v2", 0.1)])
    notes.t_fault = 5.0
    notes.note_answers(5.0, [served("v1", 0.1), served("v2", 0.1), failed("v2")])
    notes.note_weights(10.0, {"v1": 100, "v2": 0})
    notes.note_answers(10.0, [served("v2", 0.1)])

    assert notes.bad_requests == 2
    assert (notes.requests, notes.errors) == (5, 1)


def test_requests_are_counted_by_minute_and_variant_and_client_mistakes_are_no_errors() -> None:
    notes = journal()

    notes.note_answers(55.0, [served("v1", 0.1), failed("v2")])
    notes.note_answers(60.0, [failed("v2", 400)])

    assert notes.minutes() == [
        {
            "t_seconds": 0.0,
            "variants": {"v1": {"requests": 1, "errors": 0}, "v2": {"requests": 1, "errors": 1}},
        },
        {"t_seconds": 60.0, "variants": {"v2": {"requests": 1, "errors": 0}}},
    ]
    assert notes.served("v2") == 2


def test_scores_fall_into_their_bins_and_the_outermost_take_what_lies_beyond() -> None:
    notes = journal()

    notes.note_answers(0.0, [served("v1", -1.0, 0.0, 0.49, 0.5, 1.0, 2.0), failed("v1")])

    assert notes.scores() == {"v1": {"edges": [0.0, 0.5, 1.0], "counts": [3, 3]}}


def test_of_several_classes_the_one_given_falls_into_the_bin_of_its_index() -> None:
    notes = Journal("v1", "v2", [0.0, 1.0, 2.0, 3.0])
    prediction = {"label": 7, "scores": {"5": 0.1, "7": 0.8, "9": 0.1}}

    notes.note_answers(0.0, [Answer("v1", 200, json.dumps({"predictions": [prediction]}).encode())])

    assert notes.scores()["v1"]["counts"] == [0, 1, 0]


def test_a_step_ends_where_the_next_begins_and_the_last_with_the_rollout() -> None:
    notes = journal()

    notes.note_step(10.0, 0, 25)
    notes.note_step(70.0, 1, 100)
    notes.note_end(130.0)
    notes.note_end(140.0)

    assert [(step["t_start"], step["t_end"]) for step in notes.steps] == [(10, 70), (70, 130)]
