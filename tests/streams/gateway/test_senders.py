"""Which feed a sender speaks on: by MSH-3 and MSH-4, its certificate and its address; never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.hl7v2 import FeedMap, peek
from streams.gateway.mllp import Peer
from streams.gateway.senders import Senders
from streams.settings import load_settings

HERE = Peer("127.0.0.1")


def header(sender: str) -> object:
    return peek(f"MSH|^~\\&|{sender}|MW|H|20260301||ORU^R01|1|P|2.5.1\rPID|1||P1\r".encode())


def senders(maps: dict[str, dict[str, object]], doors: dict[str, dict[str, object]] | None = None) -> Senders:
    feeds = {name: {"timezone": "Asia/Seoul", "door": (doors or {}).get(name, {})} for name in maps}
    settings = load_settings({}, file=None, feeds=feeds)
    return Senders(settings, {name: FeedMap.model_validate(each) for name, each in maps.items()})


LAB = {"senders": ({"application": "LAB", "facility": "HOSP"},)}
ANY_OF_HOSP = {"senders": ({"facility": "HOSP"},)}


@pytest.mark.parametrize(
    ("shows", "maps", "sender", "feed"),
    [
        ("its own", {"lab": LAB}, "LAB|HOSP", "lab"),
        ("another application", {"lab": LAB}, "WARD|HOSP", ""),
        ("another facility", {"lab": LAB}, "LAB|OTHER", ""),
        ("the first component counts", {"lab": LAB}, "LAB^1.2.3^ISO|HOSP^4.5^ISO", "lab"),
        ("any application of a facility", {"all": ANY_OF_HOSP}, "WARD|HOSP", "all"),
        ("two feeds could be meant", {"lab": LAB, "all": ANY_OF_HOSP}, "LAB|HOSP", ""),
        ("a feed that names nobody takes the others", {"lab": LAB, "rest": {}}, "WARD|HOSP", "rest"),
        ("but not what a named feed takes", {"lab": LAB, "rest": {}}, "LAB|HOSP", "lab"),
        ("two that name nobody", {"one": {}, "two": {}}, "LAB|HOSP", ""),
    ],
)
def test_feeds(shows: str, maps: dict[str, dict[str, object]], sender: str, feed: str) -> None:
    bound = senders(maps).bind(header(sender), HERE)  # type: ignore[arg-type]
    assert bound.feed == feed, shows
    assert (bound.fault is None) == bool(feed), shows


def test_address_and_certificate() -> None:
    bound = senders({"lab": LAB}, {"lab": {"addresses": ["10.1.0.0/16"]}})
    assert bound.bind(header("LAB|HOSP"), HERE).fault is not None  # type: ignore[arg-type]
    assert bound.bind(header("LAB|HOSP"), Peer("10.1.2.3")).fault is None  # type: ignore[arg-type]
    bound = senders({"lab": LAB}, {"lab": {"certificate_names": ["lab.hospital"]}})
    assert "TLS" in bound.bind(header("LAB|HOSP"), HERE).fault.text  # type: ignore[arg-type, union-attr]
    mine, other = (Peer("127.0.0.1", frozenset({name}), True) for name in ("lab.hospital", "x"))
    assert bound.bind(header("LAB|HOSP"), mine).fault is None  # type: ignore[arg-type]
    assert bound.bind(header("LAB|HOSP"), other).fault is not None  # type: ignore[arg-type]


def test_the_one_feed_there_is_needs_no_map(tmp_path: Path) -> None:
    settings = load_settings({}, feeds={"lab": {"timezone": "Asia/Seoul"}})
    assert Senders(settings, {}).bind(header("A|B"), HERE).feed == "lab"  # type: ignore[arg-type]
    settings = load_settings({}, feeds={name: {"timezone": "Asia/Seoul"} for name in ("lab", "ward")})
    assert Senders(settings, {}).bind(header("A|B"), HERE).feed == ""  # type: ignore[arg-type]
