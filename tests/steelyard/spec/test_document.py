"""Files that cannot be read say where and why; those that can know the line of each field."""

import pytest

from steelyard.spec.document import read_json, read_yaml


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "endpoint.yaml: is empty: begin with a copy"),
        (b" \n\n", "endpoint.yaml: is empty: begin with a copy"),
        (b"a: 1\nb: \xff\n", "endpoint.yaml, line 2: holds the byte 0xff, allowed is UTF-8"),
        (b"a: 1\nb: {c: 1\n", "endpoint.yaml, line 3, column 1: is not YAML: expected ',' or '}'"),
        (b"a: 1\n b: 2\n", "endpoint.yaml, line 2, column 3: is not YAML: mapping values"),
        (b"a: 1\n\tb: 2\n", "endpoint.yaml, line 2, column 1: is not YAML: found character"),
        (b"a: 1\n---\nb: 2\n", "endpoint.yaml, line 2, column 1: is not YAML: but found another"),
        (b"a: *b\n", "endpoint.yaml, line 1, column 4: is not YAML: found undefined alias"),
        (b"a: !!python/none x\n", "endpoint.yaml, line 1, column 4: is not YAML: could not determ"),
        (b"? [a]\n: 1\n", "endpoint.yaml, line 1, column 3: is not YAML: a key is a list"),
        (b"a: 1\nb: \x07\n", "endpoint.yaml, line 2: holds the character '\\x07', which YAML"),
        (b"a: 2026-99-99\n", "endpoint.yaml: holds a value that cannot be read: month must be"),
        (b"[" * 100_000, "endpoint.yaml: is nested too deeply"),
    ],
)
def test_yaml_that_cannot_be_read_says_where_and_why(tmp_path, content, expected):
    path = tmp_path / "endpoint.yaml"
    path.write_bytes(content)

    document, problems = read_yaml(path)

    assert document is None
    assert [problem[: len(expected)] for problem in problems] == [expected]


def test_every_key_that_is_written_twice_is_named_with_both_lines(tmp_path):
    path = tmp_path / "endpoint.yaml"
    path.write_text("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n")

    assert read_yaml(path)[1] == [
        "endpoint.yaml, line 4: b.c: is written twice, first in line 3: keep one",
        "endpoint.yaml, line 5: a: is written twice, first in line 1: keep one",
    ]


def test_a_key_that_overrides_a_merged_one_is_not_written_twice(tmp_path):
    path = tmp_path / "endpoint.yaml"
    path.write_text("a: &base {b: 1}\nc: {<<: *base, b: 2}\n")

    document, problems = read_yaml(path)

    assert problems == []
    assert document.content["c"] == {"b": 2}


def test_keys_are_text_even_where_yaml_has_another_idea(tmp_path):
    path = tmp_path / "endpoint.yaml"
    path.write_text("no: 1\n1: 2\n")

    assert read_yaml(path)[0].content == {"no": 1, "1": 2}


def test_an_alias_that_holds_itself_is_read_to_its_end(tmp_path):
    path = tmp_path / "endpoint.yaml"
    path.write_text("a: &a [*a]\nb: 1\n")

    assert read_yaml(path)[0].at("b") == "endpoint.yaml, line 2: b"


def test_a_field_that_is_missing_stands_where_its_parent_does(tmp_path):
    path = tmp_path / "endpoint.yaml"
    path.write_text("a: 1\nb:\n  - {c: 1}\n  - {c: 2}\n")
    document, _ = read_yaml(path)

    assert document.at("b", 1, "d") == "endpoint.yaml, line 4: b[1].d"
    assert document.at("e") == "endpoint.yaml: e"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "m.json: is empty: run the training script"),
        (b'{"a": 1,\n}', "m.json, line 2, column 1: is not JSON: "),
        (b"\xff", "m.json, line 1: holds the byte 0xff"),
        (b"1" * 5000, "m.json: holds a number that cannot be read"),
        (b"[" * 100_000, "m.json: is nested too deeply"),
    ],
)
def test_json_that_cannot_be_read_says_where_and_why(tmp_path, content, expected):
    path = tmp_path / "m.json"
    path.write_bytes(content)

    document, problems = read_json(path, "m.json")

    assert document is None
    assert [problem[: len(expected)] for problem in problems] == [expected]


def test_a_missing_file_and_a_folder_in_its_place_are_told_apart(tmp_path):
    assert read_json(tmp_path / "m.json", "m.json")[1] == [
        "m.json: is missing: run the training script of this endpoint, which writes it"
    ]
    assert read_json(tmp_path, "m.json")[1] == [
        "m.json: cannot be read: Is a directory: make it a readable file"
    ]
