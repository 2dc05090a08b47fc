"""Lenalidomide was dispensed too long after the pregnancy test, the prescription or the authorisation.

Watches for    with childbearing potential a dispense more than the stated days after the newest negative test (or after
               the prescription, as the policy counts); for others, after the authorisation where one is recorded.
Stays silent   with no negative test at all (see `ppp-test-missing`), where pregnancy or an open question about it already
               held the dispense (see `hold-dispense`), after a later negative test, once the supply is used up.
Cannot assess  counted from the prescription, a dispense with none on record.
Numbers        ppp_dispense_from, ppp_dispense_days, ppp_authorisation_days, cycle_length_days (supply of unknown size)
"""

from __future__ import annotations

from rules.answers import Answer, CannotAssess, Finding, Found, Nothing, Shown, earliest, latest
from rules.calendar import days_between
from rules.course import used_up_at
from rules.picture import Supply
from rules.pregnancy.childbearing_potential import potential_of
from rules.pregnancy.dispense_reference import Counted, counted_from
from rules.pregnancy.obligation import dispenses
from rules.pregnancy.pregnancy_now import INDETERMINATE_ID, MENSES_ID, POSITIVE_ID, clear_since
from rules.pregnancy.tests_taken import negative_tests
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-dispense-window"
_HOLDS = (POSITIVE_ID, INDETERMINATE_ID, MENSES_ID)


def assess(view: View) -> Answer:
    """Each such dispense, while the patient may still have its capsules."""
    potential, findings, unknown = potential_of(view), [], False
    here = [(s, used_up_at(s, view.policy, view.zone)) for s in dispenses(view)]
    here = [(s, ends) for s, ends in here if view.at < ends]
    recheck = earliest(potential.changes_at, view.stop_ends_at, *(ends for _, ends in here))
    for supply, _ in here:
        if _is_settled(view, supply, potential.is_possible):
            continue
        counted = counted_from(view, supply, potential.is_possible)
        if counted is None:
            unknown = unknown or (potential.is_possible and view.policy.terms.ppp_dispense_from == "prescription")
        elif days_between(counted.at, supply.at, view.zone) > counted.limit.whole:
            findings.append(_describe(view, supply, counted))
    if findings:
        return Found(tuple(findings), recheck)
    return CannotAssess(("prescription of lenalidomide",), recheck) if unknown else Nothing(recheck)


def _is_settled(view: View, supply: Supply, is_possible: bool) -> bool:
    """A later negative test answers it; what held the dispense already is said by another alert."""
    is_held = any(stop.rule in _HOLDS and stop.since <= supply.last for stop in view.stops)
    tests = negative_tests(view.ledger, view.policy)
    return is_held or (is_possible and any(test.at > supply.last for test in tests))


def _describe(view: View, supply: Supply, counted: Counted) -> Finding:
    potential, days = potential_of(view), days_between(counted.at, supply.at, view.zone)
    return Finding(
        subject=supply.id,
        since=supply.at,
        effective_at=latest(supply.at, potential.since, counted.fact.at, clear_since(view)),
        title=f"Lenalidomide dispensed {days} days after the {counted.what}",
        message=f"Lenalidomide is dispensed at most {counted.limit} days after the {counted.what}; it was {days} days. Do "
        "not dispense; if it was handed over, reach the patient: do not take it before this is put right.",
        advice=Advice(action=Action.HOLD, agent="lenalidomide"),
        evidence=(Shown("dispensed", supply), Shown(counted.what, counted.fact)),
        thresholds=(counted.limit,),
        context=potential.context,
    )
