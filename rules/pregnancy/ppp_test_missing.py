"""No pregnancy test as the programme asks before the first lenalidomide of a course.

Watches for    the first prescription, or the first dispense or dose, without negative tests in the windows before it:
               two of them, or a single one after contraception of the lead time, as the policy says.
Stays silent   without childbearing potential, while pregnancy is open, and after a negative test on treatment.
Cannot assess  never: the missing test is the finding, and unknown potential counts as possible.
Numbers        ppp_start_two_tests, ppp_first_test_earliest_days, ppp_first_test_latest_days, ppp_second_test_hours,
               ppp_single_test_days, ppp_lead_days, order_open_days
"""

from __future__ import annotations

from rules.answers import Answer, Finding, Nothing, Shown, earliest, found, latest
from rules.pregnancy.childbearing_potential import potential_of
from rules.pregnancy.obligation import borders_ahead, obligation
from rules.pregnancy.pregnancy_now import clear_since, pregnancy_changes_at, pregnancy_now
from rules.pregnancy.start_tests import beginnings, fits, numbers_asked, words_asked
from rules.pregnancy.tests_taken import negative_tests
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "ppp-test-missing"


def assess(view: View) -> Answer:
    """Tests that fit the prescription or the first dispense suffice."""
    terms, potential, must = view.policy.terms, potential_of(view), obligation(view, view.policy.terms.ppp_tail_days)
    recheck = earliest(borders_ahead(view, terms.ppp_tail_days), potential.changes_at, pregnancy_changes_at(view))
    if must is None or view.has_ended or not potential.is_possible:
        return Nothing(recheck)
    tests, started = negative_tests(view.ledger, view.policy), view.ledger.started_at
    is_tested_since = started is not None and any(test.at > must.last for test in tests)
    if (
        is_tested_since
        or pregnancy_now(view) is not None
        or any(fits(view, tests, *span) for span in beginnings(view, must))
    ):
        return Nothing(recheck)
    before = [Shown("negative test", test) for test in tests if test.at <= must.last][-2:]
    return found(
        Finding(
            since=must.begins,
            effective_at=latest(must.begins, potential.since, clear_since(view)),
            title="Pregnancy tests missing before lenalidomide",
            message=f"{words_asked(view)} Do not dispense; if it is dispensed, reach the patient: do not take it before a "
            "negative test.",
            advice=Advice(action=Action.HOLD, agent="lenalidomide"),
            evidence=(Shown("lenalidomide", must.first), *before),
            thresholds=numbers_asked(view),
            context=potential.context,
        ),
        recheck,
    )
