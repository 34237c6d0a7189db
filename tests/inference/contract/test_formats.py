"""Bodies: the same records in every format, and no body that is more than refused."""

import csv
import io
import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inference.contract.formats import MEDIA_TYPES, MOST_RECORDS, read, write_problems
from inference.contract.refusal import REASONS, RefusedError
from inference.contract.schema import Record, Schema
from tests.manifests import manifest_of
from tests.records import FEATURES, feature, records, table

SCHEMA = Schema(manifest_of(FEATURES))
RECORDING = Schema(manifest_of(FEATURES, unknown_fields="record"))
NAMES = [it["name"] for it in FEATURES]
GOOD = records(1)[0]
LINE = table([GOOD]).splitlines()[1]
HEADER = ",".join(NAMES).encode()
JSON, LINES, CSV = b"application/json", b"application/jsonlines", b"text/csv"


def refusal(media_type: bytes | None, body: bytes, schema: Schema = SCHEMA) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        read(schema, media_type, body)
    return caught.value


def encoded(item: object) -> bytes:
    return json.dumps(item, ensure_ascii=False).encode()


def cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def as_csv(rows: list[list[str]], **options: object) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, **options).writerows(rows)
    return text.getvalue().encode()


TABLE = (
    feature("a b", "float", range=[-1e30, 1e30], nullable=True),
    feature("copy", "integer", range=[-(2**40), 2**40]),
    feature('quoted, "text"\n', "string", values=["north", 'a, "b"\n', " ", "true", "1"]),
    feature("é", "boolean", nullable=True),
)
ANY = Schema(manifest_of(TABLE))
ANY_NAMES = [it["name"] for it in TABLE]
ANY_RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "a b": st.none() | st.floats(-1e30, 1e30),
            "copy": st.integers(-(2**40), 2**40),
            'quoted, "text"\n': st.sampled_from(TABLE[2]["values"]),
            "é": st.none() | st.booleans(),
        }
    ),
    min_size=1,
    max_size=5,
)


@given(ANY_RECORDS, st.permutations(ANY_NAMES), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_the_same_records_read_equal_in_every_format(found, columns, end, is_all_quoted):
    quoting = csv.QUOTE_ALL if is_all_quoted else csv.QUOTE_MINIMAL
    options = {"lineterminator": end, "quoting": quoting}
    in_order = [[cell(record[name]) for name in ANY_NAMES] for record in found]
    shuffled = [columns] + [[cell(record[name]) for name in columns] for record in found]
    bodies = [
        (JSON, encoded({"instances": found})),
        (JSON, json.dumps({"instances": found}, indent=1).encode()),
        *((name.encode(), end.encode().join(map(encoded, found))) for name in MEDIA_TYPES[1:4]),
        (LINES, b"".join(encoded(record) + end.encode() for record in found)),
        (CSV, as_csv(in_order, **options)),
        (CSV, b"\xef\xbb\xbf" + as_csv(in_order, **options)),
        (b"text/csv; header=absent", as_csv(in_order, **options)),
        (CSV, as_csv(shuffled, **options)),
        (b'Text/CSV;charset=UTF-8 ; Header="present"', as_csv(shuffled, **options)),
    ]
    if len(found) == 1:
        bodies.append((JSON, encoded(found[0])))
    for media_type, body in bodies:
        batch = read(ANY, media_type, body)

        assert batch == (found, ())
        assert all(list(record) == ANY_NAMES for record in batch.records)


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        b"",
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"application/json; charset=latin-1",
        b"text/csv;header=maybe",
        b"application/json,text/csv",
        b"*/*",
        b"\xff",
    ],
)
def test_another_format_is_refused_with_those_that_are_read(media_type):
    refused = refusal(media_type, encoded(GOOD))

    assert refused.status == 415
    assert [problem.reason for problem in refused.problems] == ["media_type"]
    assert "application/json" in refused.problems[0].problem


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize("body", [b"", b" ", b"\r\n\r\n"])
def test_an_empty_body_is_refused_in_every_format(media_type, body):
    refused = refusal(media_type.encode(), body)

    assert (refused.status, refused.problems[0].reason) == (400, "empty")


DEEP = b"[" * 100_000
HUGE = b"1" + b"0" * 5000


@pytest.mark.parametrize(
    ("media_type", "body", "status", "field", "reason"),
    [
        (JSON, b"{", 400, "", "syntax"),
        (JSON, b"\xff\xfe{}", 400, "", "encoding"),
        (JSON, b'{"age": "\xff"}', 400, "", "encoding"),
        (JSON, b"\xef\xbb\xbf" + encoded(GOOD), 400, "", "encoding"),
        (JSON, b'{"\\ud800": 1}', 400, "", "syntax"),
        (JSON, b'{"region": "\\ud800"}', 400, "", "syntax"),
        (JSON, DEEP, 400, "", "syntax"),
        (JSON, b'{"age":' * 1000, 400, "", "syntax"),
        (JSON, b'{"instances": ' + DEEP, 400, "", "syntax"),
        (JSON, b'{"age": ' + HUGE + b"}", 400, "", "syntax"),
        (JSON, encoded(GOOD) + b"x", 400, "", "syntax"),
        (JSON, encoded(GOOD) * 2, 400, "", "syntax"),
        (JSON, encoded(GOOD).replace(b"{", b"{,", 1), 400, "", "syntax"),
        (JSON, b"[]", 422, "", "type"),
        (JSON, b"null", 422, "", "type"),
        (JSON, b"3", 422, "", "type"),
        (JSON, b"NaN", 422, "", "type"),
        (JSON, b'"instances"', 422, "", "type"),
        (JSON, b'{"instances": []}', 422, "", "empty"),
        (JSON, b'{"instances": {}}', 422, "instances", "type"),
        (JSON, b'{"instances": null}', 422, "instances", "type"),
        (JSON, encoded({"instances": [GOOD, 3]}), 422, "instances[1]", "type"),
        (JSON, encoded({"instances": [GOOD, GOOD | {"age": 7}]}), 422, "instances[1].age", "range"),
        (JSON, encoded({"instances": [GOOD, GOOD | {"x": 7}]}), 422, "instances[1].x", "unknown"),
        (JSON, encoded({"instances": [GOOD], "age": 40}), 422, "", "unknown"),
        (JSON, encoded(GOOD | {"region": "instances"}), 422, "region", "value"),
        (
            JSON,
            encoded(GOOD).replace(b"{", b'{"age": "x", ', 1)[:-1] + b', "age": 7}',
            422,
            "age",
            "range",
        ),
        (
            JSON,
            encoded(GOOD | {"income": 5e5}).replace(b"500000.0", b"1e999"),
            422,
            "income",
            "not_finite",
        ),
        (JSON, encoded(GOOD | {"income": math.nan}), 422, "income", "not_finite"),
        (JSON, encoded(GOOD | {"income": -math.inf}), 422, "income", "not_finite"),
        (LINES, b"{", 400, "line 1", "syntax"),
        (LINES, encoded(GOOD) + b"\n{", 400, "line 2", "syntax"),
        (LINES, encoded(GOOD) + b"\n\n" + encoded(GOOD), 400, "line 2", "syntax"),
        (LINES, encoded(GOOD) + b"\n\xff", 400, "line 2", "encoding"),
        (LINES, b"\xef\xbb\xbf" + encoded(GOOD), 400, "line 1", "encoding"),
        (LINES, b"[" + encoded(GOOD) + b"]", 422, "line 1", "type"),
        (LINES, encoded({"instances": [GOOD]}), 422, "line 1: age", "missing"),
        (LINES, encoded(GOOD) + b"\n" + encoded(GOOD | {"age": 7}), 422, "line 2: age", "range"),
        (CSV, b"\xff", 400, "", "encoding"),
        (CSV, HEADER, 422, "", "empty"),
        (CSV, HEADER + b"\n" + LINE + b"\n" + LINE + b",", 422, "line 3", "unknown"),
        (CSV, LINE + b"\n1\n" + LINE, 422, "line 2", "missing"),
        (CSV, LINE + b"\n\n" + LINE, 422, "line 2", "missing"),
        (CSV, LINE + b'\n"' + LINE, 400, "line 2", "syntax"),
        (CSV, LINE.replace(b",", b',"a"b,', 1), 400, "line 1", "syntax"),
        (CSV, b"x" * 200_000, 400, "line 1", "syntax"),
        (CSV, b'"' + b"\n" * 19_000, 400, "line 1", "syntax"),
        (CSV, b"\x00", 422, "line 1", "missing"),
        (CSV, b"," * 100_000, 422, "line 1", "unknown"),
        (b"text/csv;header=present", LINE, 422, "age", "missing"),
        (
            b"text/csv;header=present",
            HEADER + b",colour\n" + LINE + b",1",
            422,
            "line 1",
            "unknown",
        ),
        (b"text/csv;header=absent", HEADER, 422, "line 1: age", "type"),
        (CSV, HEADER.replace(b"age", b"agE") + b"\n" + LINE, 422, "line 1: age", "type"),
    ],
)
def test_a_body_that_is_no_record_is_refused_with_place_and_reason(
    media_type, body, status, field, reason
):
    refused = refusal(media_type, body)

    assert refused.status == status
    assert (refused.problems[0].field, refused.problems[0].reason) == (field, reason)


def test_columns_that_a_header_adds_are_not_named_since_they_may_be_values():
    body = HEADER + b",secret\n" + LINE + b",1"

    (problem,) = refusal(b"text/csv; header=present", body).problems

    assert "secret" not in problem.field + problem.problem


def test_the_key_of_a_batch_may_be_escaped_and_its_word_may_be_a_value():
    schema = Schema(manifest_of((feature("word", "string", values=["instances", "x"]),)))
    body = b'{"instances": [{"word": "instances"}]}'

    assert read(schema, JSON, b'{"word": "instances"}').records == [{"word": "instances"}]
    assert read(schema, JSON, body).records == [{"word": "instances"}]
    assert read(schema, JSON, body.replace(b'{"i', b'{"\\u0069', 1)) == read(schema, JSON, body)


def test_unknown_fields_are_named_once_for_the_whole_request():
    found = [GOOD | {"colour": 1}, GOOD | {"size": 2, "colour": 3}]

    for media_type, body in (
        (JSON, encoded({"instances": found})),
        (LINES, b"\n".join(map(encoded, found))),
    ):
        batch = read(RECORDING, media_type, body)

        assert batch.unknown == ("colour", "size")
        assert batch.records == [GOOD, GOOD]


def test_fields_beside_a_batch_are_refused_even_where_unknown_ones_are_recorded():
    refused = refusal(JSON, encoded({"instances": [GOOD], "colour": 1}), RECORDING)

    assert [problem.reason for problem in refused.problems] == ["unknown"]


BODIES = st.one_of(
    st.binary(max_size=80),
    st.text(max_size=80).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from([*NAMES, "instances", "x"]), inner, max_size=8)
        ),
        max_leaves=20,
    ).map(lambda item: json.dumps(item).encode()),
)
SPLICES = st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4)
SEEDS = st.sampled_from(
    [encoded(GOOD), encoded({"instances": [GOOD, GOOD]}), HEADER + b"\r\n" + LINE, LINE]
)


def outcome(media_type: str, body: bytes) -> tuple[list[Record], RefusedError | None]:
    try:
        return read(SCHEMA, media_type.encode(), body).records, None
    except RefusedError as refused:
        return [], refused


@given(BODIES, SEEDS, SPLICES, st.sampled_from(MEDIA_TYPES))
@example(b'{"instances": [NaN, {"age": "\\u0000"}]}', b"", [], "application/json")
def test_any_bytes_are_records_or_a_refusal_that_can_be_answered(body, seed, splices, media_type):
    spliced = bytearray(seed)
    for place, content in splices:
        spliced[place : place + 1] = content
    for text in (body, bytes(spliced)):
        found, refused = outcome(media_type, text)

        assert all(list(record) == NAMES and 18 <= record["age"] <= 100 for record in found)
        if refused is not None:
            assert refused.status in (400, 422)
            assert {problem.reason for problem in refused.problems} <= {*REASONS}
            assert json.loads(write_problems(refused.problems))["errors"]


@given(st.integers(10**6, 10**9).map(str), st.sampled_from(NAMES))
def test_no_value_that_was_sent_is_repeated_in_any_format(value, name):
    bad = GOOD | {name: value}
    row = [cell(item) for item in bad.values()]
    bodies = [
        (JSON, encoded({"instances": [bad]})),
        (LINES, encoded(bad)),
        (CSV, as_csv([row])),
        (CSV, as_csv([NAMES, row])),
        (CSV, as_csv([[*row, value]])),
        (b"text/csv;header=present", as_csv([row])),
        (JSON, encoded(bad)[:-1]),
    ]
    for media_type, body in bodies:
        said = write_problems(refusal(media_type, body).problems)

        assert value.encode() not in said


@pytest.mark.parametrize(
    ("media_type", "text"),
    [
        (JSON, b'{"instances": [' + b"{}," * (MOST_RECORDS + 1) + b"{}]}"),
        (LINES, b"{}\n" * (MOST_RECORDS + 2)),
        (CSV, b"1\n" * (MOST_RECORDS + 2)),
    ],
    ids=["json", "lines", "csv"],
)
def test_more_records_than_the_loop_can_wait_for_are_refused_unread(media_type, text):
    refused = refusal(media_type, text)

    assert refused.status == 413
    assert str(MOST_RECORDS) in refused.problems[0].problem
