"""Bodies within limits."""

import asyncio

import pytest

from inference.contract.refusal import RefusedError
from inference.http.body import FREE_BYTES, Bodies, GoneError

MB = 1024 * 1024


def read(bodies: Bodies, chunks, declared=None) -> bytes:
    """Read a body that comes in chunks; None in their place is a caller who leaves."""
    messages = [
        {"type": "http.disconnect"}
        if chunk is None
        else {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
        for index, chunk in enumerate(chunks)
    ]

    async def receive():
        return messages.pop(0)

    return asyncio.run(bodies.read(declared, receive))


def status(bodies: Bodies, chunks, declared=None) -> int:
    with pytest.raises(RefusedError) as caught:
        read(bodies, chunks, declared)
    return caught.value.status


@pytest.mark.parametrize("chunks", [[b"abc"], [b"a", b"bc"], [b"a", b"", b"b", b"c"], [b""]])
def test_chunks_become_one_body(chunks):
    assert read(Bodies(MB, MB), chunks) == b"".join(chunks)


@pytest.mark.parametrize(
    ("chunks", "declared"),
    [([b"12345"], None), ([b"123", b"45"], None), ([b""], b"5"), ([b""], b"9" * 5000)],
)
def test_a_body_that_is_too_long_is_refused_as_soon_as_that_is_known(chunks, declared):
    assert status(Bodies(4, MB), chunks, declared) == 413


def test_a_declared_length_that_is_no_number_is_left_to_the_server():
    assert read(Bodies(4, MB), [b"1234"], b"four") == b"1234"


def test_all_bodies_together_are_bounded_until_they_are_given_back():
    bodies = Bodies(MB, MB)
    large = read(bodies, [b"x" * (MB // 2), b"x" * (MB // 4)])

    assert status(bodies, [b"x" * (MB // 2), b""]) == 503
    bodies.release(large)
    assert len(read(bodies, [b"x" * (MB // 2), b""])) == MB // 2


def test_small_bodies_count_for_nothing():
    bodies = Bodies(MB, FREE_BYTES)

    assert all(read(bodies, [b"x" * FREE_BYTES]) for _ in range(10))


@pytest.mark.parametrize("chunks", [[None], [b"x" * FREE_BYTES, b"x", None]])
def test_a_caller_who_leaves_gives_back_what_came(chunks):
    bodies = Bodies(MB, 2 * FREE_BYTES)

    for _ in range(3):
        with pytest.raises(GoneError):
            read(bodies, chunks)


def test_a_refused_body_gives_back_what_came():
    bodies = Bodies(2 * FREE_BYTES, 3 * FREE_BYTES)

    for _ in range(3):
        assert status(bodies, [b"x" * (FREE_BYTES + 1), b"x" * FREE_BYTES, b""]) == 413
