"""Raw samples become increments, minutes and points; what is absent stays absent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.counters import (
    BUILD,
    CONFIDENCE,
    PROCESS_START,
    REQUESTS,
    SCORE,
    SECONDS,
    VARIANT,
    Incomparable,
    Measurement,
    Point,
    increments,
    measure,
    minute_of,
)

HOST = "@resource.host.id"
ZEROS = (0,) * 10
Samples = list[tuple[float, int]]


def one(variant: str, samples: Samples, host: str = "i-1", **labels: str) -> dict[str, Any]:
    return {
        "metric": {VARIANT: variant, HOST: host, **labels},
        "values": [[at, str(value)] for at, value in samples],
    }


def build(**bins: str) -> list[dict[str, Any]]:
    return [one(variant, [(60, 1)], bins=edges) for variant, edges in bins.items()]


def points(
    requests: list[dict[str, Any]], minutes: range = range(1, 4), **more: Any
) -> list[tuple[int, Point | None, Point | None]]:
    series = {REQUESTS: requests, BUILD: build(v1="a", v2="a"), **more.pop("series", {})}
    return measure(series, "v1", "v2", minutes, **more)


def answered(requests: list[dict[str, Any]], **more: Any) -> list[int | None]:
    """Return the champion's requests in minutes 1, 2 and 3."""
    return [
        champion.n if champion is not None else None for _, champion, _ in points(requests, **more)
    ]


@pytest.mark.parametrize(
    ("at", "minute"), [(60.001, 1), (119.9, 1), (120, 1), (120.001, 2), (180, 2)]
)
def test_a_minute_covers_what_comes_after_its_start_up_to_its_end(at: float, minute: int):
    assert minute_of(at) == minute


def test_a_delta_belongs_to_the_minute_of_its_later_sample():
    samples = [(55, 100), (70, 103), (115, 110), (130, 111), (190, 131)]

    assert answered([one("v1", samples, outcome="ok")]) == [10, 1, 20]


def test_a_fall_is_a_restart_from_zero():
    assert answered([one("v1", [(60, 500), (70, 510), (80, 4)], outcome="ok")])[0] == 14


def test_the_first_sample_is_only_a_start():
    assert answered([one("v1", [(70, 500), (80, 507)], outcome="ok")])[0] == 7


@pytest.mark.parametrize(
    ("started", "since", "expected"),
    [
        (65, None, 12),  # began inside the minutes asked for: never counted before
        (50, None, 7),  # began earlier: its first five may have been counted
        (50, 40, 12),  # began inside the range that was queried
        (62, 65, 7),  # began inside the minutes, before the range
        (75, None, 7),  # the process restarted after the first sample
    ],
)
def test_the_first_sample_counts_whole_if_the_process_began_within_the_range(
    started: float, since: float | None, expected: int
):
    starts = {PROCESS_START: [one("v1", [(70, started)])]}  # type: ignore[list-item]
    requests = [one("v1", [(70, 5), (80, 12)], outcome="ok")]

    assert answered(requests, since=since, series=starts)[0] == expected


def test_another_hosts_start_does_not_count():
    starts = {PROCESS_START: [one("v1", [(70, 65)], host="i-2")]}

    assert answered([one("v1", [(70, 5), (80, 12)], outcome="ok")], series=starts)[0] == 7


def test_a_minute_without_samples_is_absent_and_one_without_increments_is_zero():
    samples = [(60, 9), (110, 9), (190, 9)]

    assert answered([one("v1", samples, outcome="ok")]) == [0, None, 0]


def test_an_absent_variant_has_no_points():
    found = points([one("v1", [(60, 0), (70, 1)], outcome="ok")])

    assert [challenger for _, _, challenger in found] == [None, None, None]


def test_hosts_are_summed_and_variants_kept_apart():
    requests = [
        one("v1", [(60, 0), (70, 3)], host="i-1", outcome="ok"),
        one("v1", [(61, 9), (71, 14)], host="i-2", outcome="ok"),
        one("v2", [(60, 0), (70, 40)], host="i-3", outcome="ok"),
        one("v0", [(60, 0), (70, 70)], host="i-4", outcome="ok"),
    ]

    [(minute, champion, challenger)] = points(requests, range(1, 2))

    assert (minute, champion, challenger) == (
        1,
        Point(8, 0, 0, ZEROS, ZEROS, (0,) * 12),
        Point(40, 0, 0, ZEROS, ZEROS, (0,) * 12),
    )


def test_outcomes_and_bins_go_to_their_places():
    requests = [
        one("v1", [(60, 0), (70, 6)], outcome="ok"),
        one("v1", [(60, 1), (70, 3)], outcome="client_error"),
        one("v1", [(60, 2), (70, 3)], outcome="model_error"),
    ]
    bins = {
        SCORE: [
            one("v1", [(60, 0), (70, 2)], bin="00"),
            one("v1", [(60, 0), (70, 4)], bin="09"),
            one("v1", [(60, 0), (70, 5)], bin="nan"),
        ],
        CONFIDENCE: [one("v1", [(60, 0), (70, 6)], bin="05")],
        SECONDS: [one("v1", [(60, 0), (70, 9)], bin="02")],
    }

    [(_, champion, _)] = points(requests, range(1, 2), series=bins)

    assert champion == Point(
        n=9,
        e4=2,
        em=1,
        score=(2, *(0,) * 8, 4),
        conf=(*(0,) * 5, 6, *(0,) * 4),
        lat=(0, 0, 9, *(0,) * 9),
    )


@pytest.mark.parametrize("outcome", ["model_error", "overloaded", "an outcome of tomorrow"])
def test_whatever_is_neither_ok_nor_a_client_error_is_a_model_error(outcome: str):
    requests = [
        one("v1", [(60, 0), (70, 6)], outcome="ok"),
        one("v1", [(60, 0), (70, 1)], outcome="client_error"),
        one("v1", [(60, 0), (70, 3)], outcome=outcome),
    ]

    [(_, champion, _)] = points(requests, range(1, 2))

    assert champion is not None
    assert (champion.n, champion.e4, champion.em) == (10, 1, 3)


def test_variants_with_other_bin_edges_are_not_compared():
    with pytest.raises(Incomparable, match=r"bin edges differ \(v1 has a; v2 has b\)"):
        points([], series={BUILD: build(v1="a", v2="b")})


def test_unknown_bin_edges_are_not_compared():
    with pytest.raises(Incomparable, match="variant v2 counts requests without"):
        points([one("v2", [(60, 1)], outcome="ok")], series={BUILD: build(v1="a")})


def test_the_bin_edges_of_an_uninvolved_variant_do_not_matter():
    assert points([], series={BUILD: build(v1="a", v2="a", v0="b")})


def test_samples_that_are_deltas_are_refused():
    with pytest.raises(Incomparable, match="temporality 'delta'"):
        points([one("v1", [(60, 1)], outcome="ok", __temporality__="delta")])


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=40))
def test_whatever_is_counted_between_scrapes_is_found_again(scrapes: list[tuple[int, bool]]):
    """Restarts happen just after a scrape and are seen unless the counter caught up at once."""
    values, count, expected = [[0.5, "0"]], 0, 0
    for index, (answers, restarts) in enumerate(scrapes, start=1):
        seen = restarts and answers < count
        count = answers if seen else count + answers
        expected += answers
        values.append([0.5 + 10 * index, str(count)])

    assert sum(increment for _, increment in increments(values, whole=False)) == expected


def test_a_measurement_survives_its_json():
    point = Point(9, 2, 1, tuple(range(10)), ZEROS, tuple(range(12)))
    given_measurement = Measurement(29_384_720, 0, 5, point, None)

    assert Measurement.from_dict(given_measurement.to_dict()) == given_measurement
