"""The indication rules, in order."""

from __future__ import annotations

from rules.entry import Form, RuleEntry, Subject
from rules.indication import (
    ind_early_stop,
    ind_early_use,
    ind_high_dose_context,
    ind_kr_reimb,
    ind_line_check,
    sct_mobilise,
)
from rules.ledger import LENALIDOMIDE
from rules.picture import STOPPED

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        id=ind_line_check.RULE_ID,
        section="1.1",
        family="indication",
        subject=Subject.COURSE,
        assess=ind_line_check.assess,
        reads=(ind_line_check.LINES, LENALIDOMIDE, "cycle-day-1-taken"),
        closes="enough lines recorded, or day 1 of cycle 2",
        is_absence=True,
        acted_by=(ind_line_check.LINES,),
    ),
    RuleEntry(
        id=ind_kr_reimb.RULE_ID,
        section="1.1",
        family="indication",
        subject=Subject.COURSE,
        assess=ind_kr_reimb.assess,
        reads=(ind_kr_reimb.FAILURE, "person", LENALIDOMIDE),
        closes="failure of bortezomib recorded, or day 1 of cycle 2",
        is_absence=True,
        acted_by=(ind_kr_reimb.FAILURE,),
    ),
    RuleEntry(
        id=ind_early_use.RULE_ID,
        section="1.1",
        family="indication",
        subject=Subject.COURSE,
        form=Form.CONTEXT,
        assess=ind_early_use.assess,
        reads=(ind_early_use.RESPONSE, ind_line_check.LINES, LENALIDOMIDE),
        closes="lenalidomide started, or no longer a first relapse",
    ),
    RuleEntry(
        id=ind_early_stop.RULE_ID,
        section="1.1",
        family="indication",
        subject=Subject.COURSE,
        assess=ind_early_stop.assess,
        reads=(STOPPED, ind_early_stop.RESPONSE, "person", LENALIDOMIDE),
        closes="reason recorded, restart, or shown long enough",
        is_absence=True,
        acted_by=(STOPPED, ind_early_stop.RESPONSE),
    ),
    RuleEntry(
        id=ind_high_dose_context.RULE_ID,
        section="1.1",
        family="indication",
        subject=Subject.COURSE,
        form=Form.CONTEXT,
        assess=ind_high_dose_context.assess,
        reads=(ind_high_dose_context.AGGRESSIVE, ind_high_dose_context.REMISSION, LENALIDOMIDE),
        closes="course end",
    ),
    RuleEntry(
        id=sct_mobilise.RULE_ID,
        section="2.4",
        family="indication",
        subject=Subject.COURSE,
        assess=sct_mobilise.assess,
        reads=(sct_mobilise.PLAN, LENALIDOMIDE),
        closes="collection planned or done, or no longer eligible",
        is_absence=True,
        acted_by=(sct_mobilise.PLAN,),
    ),
)
