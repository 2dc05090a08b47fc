"""JSON without surprises: exact numbers, no double keys, bounded size and depth; a refusal, never an exception.

A number keeps every digit that was printed. What other parsers let through silently
(the second of two equal keys, `NaN`, `1e999` as infinity, half of a surrogate pair)
is refused, because each of them can turn one value into another.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

from schemas.codes.normalising import is_readable
from schemas.rejection import RejectionReason

MAX_DEPTH: Final = 32
_LONGEST_NUMBER: Final = 60
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class JsonReading(NamedTuple):
    """The value, or why there is none."""

    value: Any = None
    reason: RejectionReason | None = None
    detail: str = ""


class _Refused(Exception):
    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise _Refused(RejectionReason.DUPLICATE_KEY, "an object has the same key twice")
    return built


def _decimal(text: str) -> Decimal:
    if len(text) <= _LONGEST_NUMBER:
        value = Decimal(text)
        if is_readable(value):
            return value
    raise _Refused(RejectionReason.NUMBER_UNREADABLE, "a number is too long, too large or too small")


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _Refused(RejectionReason.NUMBER_UNREADABLE, "a number is too long, too large or too small")
    return int(text)


def _constant(name: str) -> Any:
    raise _Refused(RejectionReason.NOT_JSON, f"{name} is not a JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=_decimal, parse_int=_integer, parse_constant=_constant
)


def read_json(raw: bytes, max_bytes: int) -> JsonReading:
    """Read one JSON text."""
    if len(raw) > max_bytes:
        return JsonReading(reason=RejectionReason.TOO_LARGE, detail=f"larger than {max_bytes} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return JsonReading(reason=RejectionReason.UNDECODABLE, detail="not UTF-8")
    try:
        value = _DECODER.decode(text)
        has_surrogates = _SURROGATE.search(text) is not None
        # Fewer brackets than levels: it cannot be too deep, and a report of eight results need not be walked.
        if has_surrogates or text.count("{") + text.count("[") > MAX_DEPTH:
            _check(value, has_surrogates=has_surrogates)
    except _Refused as refused:
        return JsonReading(reason=refused.reason, detail=refused.detail)
    except RecursionError:
        return JsonReading(reason=RejectionReason.TOO_DEEP, detail=f"nested deeper than {MAX_DEPTH}")
    except json.JSONDecodeError as error:
        return JsonReading(
            reason=RejectionReason.NOT_JSON, detail=f"not JSON at line {error.lineno}, column {error.colno}"
        )
    return JsonReading(value)


def _check(value: Any, *, has_surrogates: bool) -> None:
    level: list[Any] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _Refused(RejectionReason.TOO_DEEP, f"nested deeper than {MAX_DEPTH}")
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                if has_surrogates:
                    _check_texts(item)
                    _check_texts(item.values())
                below.extend([inner for inner in item.values() if type(inner) is dict or type(inner) is list])
            elif type(item) is list:
                if has_surrogates:
                    _check_texts(item)
                below.extend([inner for inner in item if type(inner) is dict or type(inner) is list])
            elif has_surrogates:
                _check_texts((item,))
        level = below


def _check_texts(items: Any) -> None:
    for item in items:
        if isinstance(item, str):
            try:
                item.encode()
            except UnicodeEncodeError:
                raise _Refused(RejectionReason.UNDECODABLE, "half of a surrogate pair") from None
