"""State records: what is written is read, damage is seen, and the highest applied offset wins."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.state import (
    Frame,
    FrameDamaged,
    Mark,
    Recovery,
    applied_in,
    is_newer,
    is_patient_key,
    marker_key,
    policy_key,
    read_frame,
)

FRAMES = st.builds(
    Frame,
    applied=st.integers(-1, 1 << 50),
    payload=st.binary(max_size=200),
    next_check=st.none() | st.datetimes(timezones=st.just(UTC)),
    marks=st.integers(0, 15).map(Mark),
    reason=st.text(max_size=20),
)


@given(FRAMES)
def test_a_frame_is_read_as_written(frame: Frame) -> None:
    raw = frame.to_bytes()
    assert read_frame(raw) == frame
    assert applied_in(raw) == frame.applied


@given(FRAMES, st.data())
def test_any_changed_byte_is_seen(frame: Frame, data: st.DataObject) -> None:
    raw = bytearray(frame.to_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FrameDamaged):
        read_frame(bytes(raw))


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.integers(0, 9)), max_size=30))
def test_recovery_keeps_the_highest_and_repairs_what_hides_it(writes: list[tuple[bytes, int]]) -> None:
    recovery = Recovery()
    for key, applied in writes:
        recovery.read(key, Frame(applied=applied, payload=b"").to_bytes())
    highest = {key: max(applied for each, applied in writes if each == key) for key, _ in writes}
    assert {key: applied_in(raw) for key, raw in recovery.held.items()} == highest
    hidden = {key for key, applied in dict(writes).items() if applied < highest[key]}
    assert {key for key, _ in recovery.to_repair()} == hidden


def test_damaged_bytes_do_not_replace_a_frame() -> None:
    frame = Frame(applied=3, payload=b"").to_bytes()
    assert not is_newer(b"junk", frame)
    assert is_newer(frame, b"junk")
    assert is_newer(b"junk", None)


def test_keys_do_not_meet() -> None:
    patient = b"0123456789abcdef0123456789abcdef"
    assert is_patient_key(patient)
    for own in (marker_key(3), policy_key(17), patient + b"/2025-1/abc"):
        assert not is_patient_key(own)
    assert policy_key(9) < policy_key(10)
