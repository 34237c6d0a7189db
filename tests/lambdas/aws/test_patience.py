"""A call is waited for as long as patience lasts, whatever it is doing."""

import threading

import pytest

from lambdas.aws.patience import OutOfPatience, within


def test_an_answer_in_time_is_given():
    assert within(5, lambda: "answer") == "answer"


def test_an_error_in_time_is_raised():
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 / 0)


def test_a_call_that_never_answers_is_given_up():
    never = threading.Event()

    with pytest.raises(OutOfPatience, match=r"no answer within 0\.05 s"):
        within(0.05, lambda: never.wait(5))

    never.set()
