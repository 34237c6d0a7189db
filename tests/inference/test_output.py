"""Lines on a stream that several processes share."""

import os
from multiprocessing import get_context

import pytest

from inference.output import Output

LINE = b"x" * 5000
"""Longer than what a pipe keeps in one piece by itself."""


def _write_many(stream: int, lock: int, letter: bytes) -> None:
    output = Output(stream, lock)
    for _ in range(40):
        output.write([letter * 5000, letter * 3000])


def test_lines_are_written_whole_though_the_pipe_takes_them_in_pieces():
    reader, writer = os.pipe()
    process = get_context("fork").Process(target=lambda: Output(writer).write([LINE] * 100))
    process.start()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        lines = pipe.read().splitlines()
    process.join()

    assert lines == [LINE] * 100


def test_workers_that_share_a_pipe_do_not_mix_their_lines():
    reader, writer = os.pipe()
    lock = os.memfd_create("test")
    fork = get_context("fork")
    workers = [fork.Process(target=_write_many, args=(writer, lock, bit)) for bit in (b"a", b"b")]
    for worker in workers:
        worker.start()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        lines = pipe.read().splitlines()
    for worker in workers:
        worker.join()

    assert {len(line) for line in lines} == {3000, 5000}
    assert all(len(set(line)) == 1 for line in lines)


def test_a_stream_that_takes_nothing_is_an_error():
    full = os.open("/dev/full", os.O_WRONLY)

    with pytest.raises(OSError, match="No space left on device"):
        Output(full).write([b"x"])

    os.close(full)
