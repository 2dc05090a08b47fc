"""MLLP frames: the same messages whatever the pieces, and nothing cut in two is ever taken for a whole one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.gateway.framing import END, START, Broken, Fault, Frame, Framer, count_delimiters, wrap

LIMIT = 200


def frames(data: bytes, *cuts: int, limit: int = LIMIT) -> list[Frame | Broken]:
    framer = Framer(limit)
    out: list[Frame | Broken] = []
    begin = 0
    for cut in [*sorted(cuts), len(data)]:
        out.extend(framer.feed(data[begin:cut]))
        begin = cut
    return out


@pytest.mark.parametrize(
    ("shows", "data", "expected"),
    [
        ("one message", wrap(b"MSH|a"), ["MSH|a"]),
        ("two messages in one packet", wrap(b"MSH|a") + wrap(b"MSH|b"), ["MSH|a", "MSH|b"]),
        ("line ends between messages", wrap(b"MSH|a") + b"\r\n" + wrap(b"MSH|b") + b"\n", ["MSH|a", "MSH|b"]),
        ("nothing at all", b"", []),
        ("an empty message", wrap(b""), [""]),
        ("a message that has not ended", START + b"MSH|a", []),
        ("exactly the largest message", wrap(b"M" * LIMIT), ["M" * LIMIT]),
        ("one byte too many, and the next is fine", wrap(b"M" * (LIMIT + 1)) + wrap(b"MSH|b"), [Fault.TOO_LARGE, "MSH|b"]),
        ("an end without its CR does not cut a message in two", START + b"MSH|a\x1cb" + END, [Fault.END_WITHOUT_CR]),
        ("an end block twice", START + b"MSH|a\x1c" + END, [Fault.END_WITHOUT_CR]),
        ("a start inside", START + b"MSH|a" + wrap(b"MSH|b"), [Fault.START_INSIDE, "MSH|b"]),
        ("start blocks after one another", START + START + wrap(b"MSH|b"), [Fault.START_INSIDE, Fault.START_INSIDE, "MSH|b"]),
        ("no start block, but HL7", b"MSH|a" + END + wrap(b"MSH|b"), [Fault.NO_START, "MSH|b"]),
        ("another protocol", b"GET / HTTP/1.1\r\n\r\n", [Fault.NO_START]),
    ],
)  # fmt: skip
def test_frames(shows: str, data: bytes, expected: list[str]) -> None:
    found = [each.fault if isinstance(each, Broken) else each.payload.decode() for each in frames(data)]
    assert found == expected, shows


def test_another_protocol_is_given_up_at_once() -> None:
    framer = Framer(LIMIT)
    (broken,) = framer.feed(b"GET / HTTP/1.1")
    assert isinstance(broken, Broken)
    assert broken.is_endless
    assert framer.is_given_up
    assert framer.feed(wrap(b"MSH|a")) == []


def test_an_endless_frame_is_given_up_and_never_held() -> None:
    framer = Framer(LIMIT, endless=10_000)
    found: list[Frame | Broken] = []
    for _ in range(1_000):
        found.extend(framer.feed(START * (not found and not framer.is_inside) + b"M" * 100))
    (broken,) = found
    assert isinstance(broken, Broken)
    assert broken.is_endless
    assert broken.fault is Fault.TOO_LARGE
    assert len(broken.head) <= 4_096


def test_what_had_begun_is_told_when_the_sender_leaves() -> None:
    framer = Framer(LIMIT)
    framer.feed(START + b"MSH|a")
    abandoned = framer.abandon()
    assert abandoned is not None
    assert abandoned.head == b"MSH|a"
    assert framer.abandon() is None


PIECES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([START, END, b"\x1c", b"\r", b"MSH|^~\\&|A", b"\n", wrap(b"MSH|x")]),
)


@given(st.lists(PIECES, max_size=12), st.lists(st.integers(0, 2_000), max_size=8))
def test_the_sizes_of_the_pieces_change_nothing(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    whole = frames(data)
    assert frames(data, *(cut for cut in cuts if cut < len(data))) == whole
    assert frames(data, *range(len(data))) == whole


@given(st.lists(st.binary(max_size=LIMIT).filter(lambda raw: not {0x0B, 0x1C} & set(raw)), max_size=6))
def test_every_message_comes_out_as_it_went_in(messages: list[bytes]) -> None:
    data = b"".join(wrap(each) for each in messages)
    assert frames(data) == [Frame(each) for each in messages]


@given(st.lists(st.binary(max_size=500), max_size=20))
def test_never_holds_more_than_its_limit(pieces: list[bytes]) -> None:
    framer = Framer(LIMIT)
    framer.feed(START)
    for piece in pieces:
        framer.feed(piece)
        assert len(framer._held) <= LIMIT


def test_delimiters_are_counted_by_the_message_s_own() -> None:
    assert count_delimiters(b"MSH|^~\\&|A\rPID|1\r") == 4 + 1 + 1 + 1 + 1 + 1
    assert count_delimiters(b"MSH*^~\\&*A|||||\r") == 1 + 4 + 1 + 1
    bomb = b"MSH|^~\\&|" + b"|" * 300_000
    assert count_delimiters(bomb) > 300_000
