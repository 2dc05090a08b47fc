"""The renal rules, in order."""

from __future__ import annotations

from rules.entry import Form, RuleEntry, Subject, through_course
from rules.ledger import LENALIDOMIDE
from rules.renal import (
    renal_ae_watch,
    renal_baseline_missing,
    renal_decline_review,
    renal_dose_mismatch,
    renal_escalate_2c,
    renal_improve_review,
    renal_method_discordant,
)
from rules.renal_dose import READS

_KIDNEY = (*READS, "person", LENALIDOMIDE)

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        id=renal_baseline_missing.RULE_ID,
        section="1.4",
        family="renal",
        subject=Subject.COURSE,
        assess=renal_baseline_missing.assess,
        reads=(*_KIDNEY, renal_baseline_missing.TAKEN),
        closes="clearance computable from recorded inputs, or course end",
        is_absence=True,
        acted_by=("creatinine", "weight", "height"),
    ),
    RuleEntry(
        id=renal_dose_mismatch.RULE_ID,
        section="1.4",
        family="renal",
        subject=Subject.COURSE,
        assess=renal_dose_mismatch.assess,
        reads=_KIDNEY,
        closes="dispense at or below the band's dose, a newer clearance that fits, or cycle 2",
        acted_by=(LENALIDOMIDE,),
    ),
    RuleEntry(
        id=renal_decline_review.RULE_ID,
        section="1.4",
        family="renal",
        subject=Subject.SPELL,
        assess=renal_decline_review.assess,
        reads=_KIDNEY,
        closes="dose fits the newest band, or clearance back in its band",
        acted_by=(LENALIDOMIDE,),
    ),
    RuleEntry(
        id=renal_improve_review.RULE_ID,
        section="1.4",
        family="renal",
        subject=Subject.SPELL,
        assess=renal_improve_review.assess,
        reads=(*_KIDNEY, renal_improve_review.REASON),
        closes="dose raised, or clearance back in the lower band",
    ),
    RuleEntry(
        id=renal_method_discordant.RULE_ID,
        section="1.4",
        family="renal",
        subject=Subject.SPELL,
        assess=renal_method_discordant.assess,
        reads=(*_KIDNEY, renal_method_discordant.EGFR),
        closes="every figure gives the same band",
    ),
    RuleEntry(
        id=renal_ae_watch.RULE_ID,
        section="1.4",
        family="renal",
        subject=Subject.COURSE,
        form=Form.CONTEXT,
        assess=renal_ae_watch.assess,
        reads=_KIDNEY,
        closes="course end",
    ),
    RuleEntry(
        id=renal_escalate_2c.RULE_ID,
        section="2.4",
        family="renal",
        subject=Subject.SPELL,
        assess=renal_escalate_2c.assess,
        reads=(*_KIDNEY, renal_escalate_2c.RESPONSE, "anc", "platelets", "temperature", "adverse-event"),
        closes="dose raised, dose-limiting toxicity, or clearance out of the band",
        limits=through_course("anc", "platelets", "temperature"),
    ),
)
