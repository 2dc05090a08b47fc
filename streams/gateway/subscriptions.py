"""FHIR Subscription notifications: event numbers without a gap, and what to fetch where there is one.

A topic-based subscription numbers its events (R5 `SubscriptionStatus`; in R4 the backport guide's `Parameters`, profile
`backport-subscription-status-r4`). A number that was never received is a result that nobody saw: the gap is said as an
error, once, with the feed and the count, for a person to have it sent again (`$events`). Numbers are kept in the
headers on intake, so a restart knows where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from streams.ports import Arrived
from streams.translate import HEADER_FEED, HEADER_REFUSED

HEADER_SUBSCRIPTION: Final = "subscription"
HEADER_EVENTS: Final = "events"
_MOST_EVENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Notification:
    """The head of a notification Bundle."""

    subscription: str
    kind: str
    events: tuple[int, ...]
    """Event numbers in this Bundle."""
    since_start: int | None = None
    """How many events the server has counted, those of this Bundle included."""

    def headers(self) -> list[tuple[str, bytes]]:
        """What intake keeps of it."""
        return [
            (HEADER_SUBSCRIPTION, self.subscription.encode("utf-8", "replace")[:200]),
            (HEADER_EVENTS, ",".join(str(each) for each in self.events).encode()),
        ]


@dataclass(frozen=True, slots=True)
class Gap:
    """Event numbers that never came."""

    subscription: str
    first: int
    last: int


class Subscriptions:
    """The highest event number of each subscription, without a gap below it but those that were said."""

    def __init__(self) -> None:
        """Nothing known yet."""
        self._highest: dict[tuple[str, str], int] = {}
        self._missing: dict[tuple[str, str], set[int]] = {}

    def take(self, feed: str, notification: Notification) -> tuple[Gap, ...]:
        """What is newly known to be missing before or behind this notification."""
        place = (feed, notification.subscription)
        known = self._highest.get(place)
        missing = self._missing.setdefault(place, set())
        missing.difference_update(notification.events)
        top = max((*notification.events, notification.since_start or 0))
        if known is None:
            # The first we hear of it: what came before we were told of is the backfill's business.
            known = min(notification.events, default=top + 1) - 1
        lost = sorted(set(range(known + 1, top + 1)[-_MOST_EVENTS:]) - set(notification.events))
        missing.update(lost)
        self._highest[place] = max(known, top)
        return tuple(Gap(notification.subscription, first, last) for first, last in _runs(lost))

    def missing(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        """What has been said to be missing and has not come since, by feed and subscription."""
        return {place: tuple(sorted(numbers)) for place, numbers in self._missing.items() if numbers}

    def rebuild(self, records: Iterable[Arrived]) -> None:
        """Read the headers of intake."""
        for record in records:
            headers = dict(record.headers)
            name = headers.get(HEADER_SUBSCRIPTION)
            if name is None or HEADER_REFUSED in headers:
                continue
            numbers = tuple(int(each) for each in headers.get(HEADER_EVENTS, b"").split(b",") if each.isdigit())
            if numbers:
                feed = headers.get(HEADER_FEED, b"").decode("utf-8", "replace")
                self.take(feed, Notification(name.decode("utf-8", "replace"), "event-notification", numbers))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for each in numbers:
        if last is not None and first is not None and each != last + 1:
            yield first, last
            first = each
        first, last = (each if first is None else first), each
    if first is not None and last is not None:
        yield first, last


def read_notification(body: Any) -> Notification | None:
    """The head of a notification Bundle; None for anything else."""
    if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
        return None
    entries = body.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else None
    status = first.get("resource") if isinstance(first, dict) else None
    if not isinstance(status, dict):
        return None
    if status.get("resourceType") == "SubscriptionStatus":
        return _read_status(status)
    if status.get("resourceType") == "Parameters" and body.get("type") in ("history", "subscription-notification"):
        return _read_status(_from_parameters(status))
    return None


def _read_status(status: Mapping[str, Any]) -> Notification | None:
    subscription = status.get("subscription")
    reference = subscription.get("reference") if isinstance(subscription, dict) else None
    if not isinstance(reference, str) or not reference:
        return None
    events = status.get("notificationEvent")
    numbers = tuple(
        number
        for each in (events if isinstance(events, list) else ())
        if isinstance(each, dict) and (number := _number(each.get("eventNumber"))) is not None
    )
    kind = status.get("type")
    since = _number(status.get("eventsSinceSubscriptionStart"))
    return Notification(reference, kind if isinstance(kind, str) else "", numbers[:_MOST_EVENTS], since)


def _from_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The R4 form, as the R5 form says the same."""
    status: dict[str, Any] = {"notificationEvent": []}
    for each in _rows(parameters.get("parameter")):
        name = each.get("name")
        if name == "subscription":
            status["subscription"] = each.get("valueReference")
        elif name == "type":
            status["type"] = each.get("valueCode")
        elif name in ("eventsSinceSubscriptionStart", "events-since-subscription-start"):
            status["eventsSinceSubscriptionStart"] = _value(each)
        elif name in ("notificationEvent", "notification-event"):
            parts = {str(part.get("name")): _value(part) for part in _rows(each.get("part"))}
            status["notificationEvent"].append({"eventNumber": parts.get("eventNumber", parts.get("event-number"))})
    return status


def _rows(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _value(each: Mapping[str, Any]) -> Any:
    return next((value for name, value in each.items() if name.startswith("value")), None)


def _number(value: Any) -> int | None:
    """A 64-bit number, which R5 and the backport guide write as text."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    return None
