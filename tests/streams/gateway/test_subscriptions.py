"""Event numbers of FHIR subscriptions: what never came is known, and what comes late closes its gap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.gateway.subscriptions import Gap, Notification, Subscriptions, read_notification


def told(*numbers: int, since: int | None = None) -> Notification:
    return Notification("Subscription/S1", "event-notification", numbers, since)


def test_gaps() -> None:
    held = Subscriptions()
    assert held.take("lab", told(5)) == (), "what came before we were told of it is the backfill's business"
    assert held.take("lab", told(6, 7)) == ()
    assert held.take("lab", told(10, 13)) == (Gap("Subscription/S1", 8, 9), Gap("Subscription/S1", 11, 12))
    assert held.take("lab", told(9)) == ()
    assert held.missing() == {("lab", "Subscription/S1"): (8, 11, 12)}
    assert held.take("ward", told(1)) == (), "another feed has numbers of its own"


def test_a_heartbeat_tells_how_many_there_were() -> None:
    held = Subscriptions()
    held.take("lab", told(1))
    assert held.take("lab", told(since=3)) == (Gap("Subscription/S1", 2, 3),)
    assert held.take("lab", told(since=3)) == ()


@given(st.permutations(range(1, 12)), st.sets(st.integers(2, 11)))
def test_whatever_the_order_exactly_the_lost_are_missing(order: list[int], lost: set[int]) -> None:
    held = Subscriptions()
    held.take("lab", told(1))
    came = [each for each in order if each not in lost and each != 1]
    for each in came:
        held.take("lab", told(each))
    held.take("lab", told(since=11))
    assert held.missing().get(("lab", "Subscription/S1"), ()) == tuple(sorted(lost))


def test_the_forms_of_r5_and_of_the_r4_backport() -> None:
    event = {"name": "notification-event", "part": [{"name": "event-number", "valueString": "7"}]}
    r4 = {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [
            {
                "resource": {
                    "resourceType": "Parameters",
                    "parameter": [
                        {"name": "subscription", "valueReference": {"reference": "Subscription/S1"}},
                        {"name": "type", "valueCode": "event-notification"},
                        {"name": "events-since-subscription-start", "valueString": "7"},
                        event,
                    ],
                }
            }
        ],
    }
    r5 = {
        "resourceType": "Bundle",
        "type": "subscription-notification",
        "entry": [
            {
                "resource": {
                    "resourceType": "SubscriptionStatus",
                    "type": "event-notification",
                    "subscription": {"reference": "Subscription/S1"},
                    "eventsSinceSubscriptionStart": "7",
                    "notificationEvent": [{"eventNumber": "7"}],
                }
            }
        ],
    }
    assert read_notification(r4) == read_notification(r5) == told(7, since=7)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["resourceType", "entry", "resource", "type", "subscription", "reference", "notificationEvent", "parameter", "part", "name"]), inner), max_leaves=20))  # fmt: skip
def test_anything_else_is_no_notification(body: object) -> None:
    found = read_notification(body)
    assert found is None or found.subscription
