"""Give up waiting for a call after a time that nothing on the wire can stretch."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Answer = TypeVar("Answer")


class OutOfPatience(Exception):
    """The call gave no answer in time; it may still take effect."""


def within(seconds: float, call: Callable[[], Answer]) -> Answer:
    """
    Return the call's answer, or raise its error; raises OutOfPatience after `seconds`.

    A client's time-outs are for each wait on the wire, and none is for the name's look-up: only a
    second thread bounds them all. It ends by those time-outs, or with the process.
    """
    future: Future[Answer] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError as error:
        raise OutOfPatience(f"no answer within {seconds:g} s") from error
