"""Lines of dots as SVG."""

from xml.etree import ElementTree

import pytest

from benchmarks.judge.plot import HEIGHT, WIDTH, Dot, Panel, svg

LINE = [Dot(10.0, 4.0, "a < b"), Dot(20.0, 2.0, "c"), Dot(30.0, 1.0, "d")]


def circles(panel):
    root = ElementTree.fromstring(svg([panel], ["knob"], "harm"))
    found = [it for it in root.iter() if it.tag.endswith("circle")]
    return [(float(it.get("cx")), float(it.get("cy"))) for it in found]


def test_more_lies_to_the_right_and_less_harm_lower_on_a_scale_of_powers():
    (x1, y1), (x2, y2), (x3, y3), *_ = circles(Panel("ticks", [LINE], LINE[1]))

    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y2 - y1 == pytest.approx(y3 - y2, abs=0.2)
    assert min(x2 - x1, y2 - y1) > 50


def test_the_marked_dot_is_where_the_line_has_it():
    dots = circles(Panel("ticks", [LINE], LINE[1]))

    assert dots[3] == dots[1]


def test_every_dot_is_within_the_picture():
    assert all(
        0 < x < WIDTH and 0 < y < HEIGHT for x, y in circles(Panel("ticks", [LINE], LINE[0]))[:4]
    )


def test_one_dot_alone_can_be_drawn():
    root = ElementTree.fromstring(svg([Panel("ticks", [LINE[:1]], LINE[0])], ["knob"], "harm"))

    texts = [it.text for it in root.iter() if it.tag.endswith("text")]
    assert (texts.count("10"), texts.count("4")) == (1, 1)


def test_labels_are_text_whatever_is_in_them():
    root = ElementTree.fromstring(svg([Panel("x & y", [LINE], LINE[0])], ["<knob>"], "harm"))

    texts = {it.text for it in root.iter() if it.tag.endswith("text")}
    assert {"a < b", "x & y", "<knob>"} <= texts
