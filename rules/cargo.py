"""What one number hands to another: kept facts and open alerts, compressed, as text for an entry of the log."""

from __future__ import annotations

import base64
import zlib
from typing import Final

import msgspec

from rules.picture import AnyKept
from rules.record import Alert, RecordDamaged

_LEVEL: Final = 6


class Cargo(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a move carries."""

    facts: tuple[AnyKept, ...]
    alerts: tuple[Alert, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Cargo)


def pack_cargo(facts: tuple[AnyKept, ...], alerts: tuple[Alert, ...]) -> str:
    """As a text for an entry of the log: same content, same text."""
    return base64.b64encode(zlib.compress(_encoder.encode(Cargo(facts, alerts)), _LEVEL)).decode()


def unpack_cargo(cargo: str) -> Cargo:
    """The content of such a text; raises `RecordDamaged`."""
    try:
        return _decoder.decode(zlib.decompress(base64.b64decode(cargo, validate=True)))
    except (ValueError, zlib.error) as error:
        raise RecordDamaged(f"what was moved cannot be read: {type(error).__name__}") from None


def departing(fact: AnyKept, key: str) -> AnyKept:
    """The fact as it leaves the number with this key: it says under which it came."""
    return fact if fact.origin is not None else msgspec.structs.replace(fact, origin=key)


def arriving(fact: AnyKept, key: str) -> AnyKept:
    """The fact as the number with this key keeps it: its own are without a mark."""
    return msgspec.structs.replace(fact, origin=None) if fact.origin == key else fact
