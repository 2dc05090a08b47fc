"""Short ways to write a message of one synthetic patient, and to read it."""

from __future__ import annotations

from typing import Any

from schemas.hl7v2 import STANDARD, FeedMap, read_message
from schemas.reading import Reading
from tests.schemas.feed import CONTEXT, facts

PID = "PID|1||1001^^^HOSP^MR"
SENT = "20260302110000"


def msh(kind: str = "ORU^R01", **changes: str) -> str:
    """MSH by field number: `_18="8859/1"`."""
    given = {3: "LAB", 4: "HOSP", 7: SENT, 9: kind, 10: "C-1", 11: "P", 12: "2.5.1"}
    given.update({int(name[1:]): text for name, text in changes.items()})
    return "|".join(["MSH", "^~\\&", *(given.get(number, "") for number in range(3, max(given) + 1))])


def segment(name: str, **fields: str) -> str:
    """A segment by field number, the others empty."""
    numbered = {int(key[1:]): text for key, text in fields.items()}
    return "|".join([name, *(numbered.get(number, "") for number in range(1, max(numbered, default=0) + 1))])


def obr(**changes: str) -> str:
    given = {"_3": "F-1", "_4": "57021-8^CBC^LN", "_7": "202603020815", "_22": "20260302104000", "_25": "F"}
    return segment("OBR", **{"_1": "1", **given, **changes})


def obx(**changes: str) -> str:
    given = {"_2": "NM", "_3": "751-8^ANC^LN", "_5": "0.9", "_6": "10*3/uL", "_11": "F"}
    return segment("OBX", **{"_1": "1", **given, **changes})


def message(*segments: str, kind: str = "ORU^R01", pid: str = PID, **head: str) -> bytes:
    return ("\r".join([msh(kind, **head), pid, *segments]) + "\r").encode()


def read(
    *segments: str, kind: str = "ORU^R01", feed_map: FeedMap = STANDARD, context: Any = CONTEXT, **head: str
) -> Reading:
    return read_message(message(*segments, kind=kind, **head), context, feed_map)


def one(reading: Reading) -> Any:
    """The one fact of a reading without rejections."""
    assert not reading.rejections, reading.rejections
    found = facts(reading)
    assert len(found) == 1, found
    return found[0]


def reasons(reading: Reading) -> list[tuple[str, str]]:
    return [(each.reason.value, each.part) for each in reading.rejections]
