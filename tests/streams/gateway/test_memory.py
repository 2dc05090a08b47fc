"""What was kept before: by feed, id and bytes, within the window, also after a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from streams.gateway.memory import Memory, Remembered
from streams.ports import Arrived, milliseconds_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def kept(digest: bytes, *, accepted: bool = True, at: datetime = NOW) -> Remembered:
    return Remembered(digest * 32, accepted, milliseconds_of(at), 0, 0)


def test_by_feed_protocol_and_id() -> None:
    memory = Memory(72, 100)
    memory.remember("hl7v2", "lab", "C1", kept(b"a"))
    assert memory.recall("hl7v2", "lab", "C1", NOW) == (kept(b"a"),)
    for other in (("hl7v2", "ward", "C1"), ("fhir", "lab", "C1"), ("hl7v2", "lab", "C2")):
        assert memory.recall(*other, NOW) == ()


def test_what_is_older_than_the_window_is_another_message() -> None:
    memory = Memory(72, 100)
    memory.remember("hl7v2", "lab", "C1", kept(b"a"))
    assert memory.recall("hl7v2", "lab", "C1", NOW + timedelta(hours=72))
    assert memory.recall("hl7v2", "lab", "C1", NOW + timedelta(hours=72, seconds=1)) == ()
    memory.forget(NOW + timedelta(hours=73))
    assert len(memory) == 0


def test_an_accepted_message_is_not_forgotten_for_a_refused_one() -> None:
    memory = Memory(72, 100)
    memory.remember("hl7v2", "lab", "C1", kept(b"a"))
    memory.remember("hl7v2", "lab", "C1", kept(b"b", accepted=False))
    memory.remember("hl7v2", "lab", "C1", kept(b"a", accepted=False))
    assert [each.is_accepted for each in memory.recall("hl7v2", "lab", "C1", NOW)] == [True, False]


def test_the_oldest_go_first_where_there_are_too_many() -> None:
    memory = Memory(72, 10)
    for number in range(30):
        memory.remember("hl7v2", "lab", f"C{number}", kept(b"a", at=NOW + timedelta(seconds=number)))
    assert len(memory) == 10
    assert memory.recall("hl7v2", "lab", "C29", NOW)
    assert not memory.recall("hl7v2", "lab", "C0", NOW)


def record(control_id: str, digest: bytes, *, offset: int, refused: bool = False, **other: bytes) -> Arrived:
    headers = [("feed", b"lab"), ("protocol", b"hl7v2"), ("sha256", (digest * 32).hex().encode())]
    headers.append(("control_id", control_id.encode()))
    headers.extend((("refused", b"wrong-shape"),) if refused else ())
    headers.extend(other.items())
    return Arrived("t", 0, offset, milliseconds_of(NOW) + offset, b"k", b"", tuple(headers))


def test_rebuilt_from_the_headers_of_intake() -> None:
    memory = Memory(72, 100)
    records = [
        record("C2", b"b", offset=2, refused=True),
        record("C1", b"a", offset=1),
        Arrived("t", 0, 3, 0, b"~tick", b"", (("kind", b"tick"),)),
        Arrived("t", 0, 4, 0, b"k", b"", (("feed", b"lab"), ("control_id", b"C9"), ("sha256", b"no hash"))),
        Arrived("t", 0, 5, 0, b"k", b"", (("feed", b"lab"),)),
    ]
    assert memory.rebuild(records) == 2
    assert memory.recall("hl7v2", "lab", "C1", NOW)[0].is_accepted
    assert not memory.recall("hl7v2", "lab", "C2", NOW)[0].is_accepted
