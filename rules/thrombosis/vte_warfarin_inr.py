"""Warfarin outside its target, or not measured.

Watches for    warfarin (or its kin) with a newest INR outside the target, or with no INR for the stated time since
               the last one or the start. Critical far above the target, or with platelets too low for LMWH.
Stays silent   with a recent INR in the target, ends included; an INR from before the start does not count.
Cannot assess  when the newest INR cannot be used.
Numbers        inr_low, inr_high, inr_max_age_days, inr_critical_above, vte_lmwh_platelets
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Nothing, Shown, earliest, found
from rules.calendar import days_after
from rules.thrombosis.agents import VKA, on_treatment_since, present, taken
from rules.thrombosis.risk import next_recorded_end
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "vte-warfarin-inr"


def assess(view: View) -> Answer:
    """The newest INR on warfarin, and how old it is."""
    span, terms = present(taken(view, VKA), view.at), view.policy.terms
    if not view.is_on_treatment or span is None:
        return NOTHING
    inr = view.newest("inr")
    if inr is not None and inr.at < span.begins:
        inr = None
    due = days_after(inr.at if inr is not None else span.begins, terms.inr_max_age_days.whole + 1, view.zone)
    is_overdue = view.at >= due
    recheck = earliest(span.ends, next_recorded_end(view), None if is_overdue else due)
    is_high = inr is not None and inr.is_at_most(terms.inr_high.value) is False
    is_low = inr is not None and inr.is_below(terms.inr_low.value) is True
    if not (is_high or is_low or is_overdue):
        return (
            CannotAssess(("a usable value of the newest INR",), recheck) if view.unusable("inr") else Nothing(recheck)
        )
    count = view.newest("platelets")
    few = count if count is not None and count.is_below(terms.vte_lmwh_platelets.value) else None
    is_far = inr is not None and inr.is_at_most(terms.inr_critical_above.value) is False
    shown = [Shown("warfarin", span.newest)]
    if inr is not None:
        shown.append(Shown("newest INR", inr))
    if few is not None:
        shown.append(Shown("newest platelets", few))
    target = f"target {terms.inr_low} to {terms.inr_high}"
    title = f"INR {inr.shown} on warfarin, {target}" if inr and (is_high or is_low) else "No recent INR on warfarin"
    deciding = inr.at if inr is not None and (is_high or is_low) else due
    since = on_treatment_since(view, span.begins, deciding)
    low = f" Platelets are {few.shown} cells/uL." if few is not None else ""
    return found(
        Finding(
            since=since,
            effective_at=max(since, few.at) if few is not None else since,
            reason="critical" if is_far or few is not None else "out-of-target" if is_high or is_low else "overdue",
            title=title,
            message=f"{title}.{low} Adjust the dose or measure again, and look for bleeding where it is high.",
            advice=Advice(action=Action.REVIEW_MEDICINE if is_high or is_low else Action.REPEAT_TEST, agent="warfarin"),
            evidence=tuple(shown),
            thresholds=(terms.inr_low, terms.inr_high, terms.inr_max_age_days, terms.inr_critical_above),
            is_provisional=inr is not None and inr.is_doubtful,
        ),
        recheck,
    )
