"""The thrombosis rules, in order."""

from __future__ import annotations

from rules.entry import Form, RuleEntry, Subject
from rules.thrombosis import (
    vte_aspirin_platelets,
    vte_assessment_missing,
    vte_lmwh_platelets,
    vte_lmwh_renal,
    vte_monitor_only,
    vte_ppx_missing,
    vte_ppx_switch_due,
    vte_specialist_review,
    vte_tier_change,
    vte_warfarin_inr,
)
from rules.thrombosis.agents import ANTICOAGULANT, ASPIRIN, CONTRAINDICATED, LMWH, THERAPEUTIC, VKA
from rules.thrombosis.factors import CONCEPTS, MEDICINES, RESULTS, STATEMENTS
from rules.thrombosis.proposal import ALLERGENS

_TIER = (*CONCEPTS, *STATEMENTS, *RESULTS, *MEDICINES, "lenalidomide")
_TAKEN = (ANTICOAGULANT, ASPIRIN, THERAPEUTIC)

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        id=vte_assessment_missing.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.COURSE,
        assess=vte_assessment_missing.assess,
        reads=("lenalidomide", "platelets", vte_assessment_missing.ASSESSMENT),
        closes="risk assessment and platelet count recorded, or course end",
        is_absence=True,
        acted_by=(vte_assessment_missing.ASSESSMENT,),
    ),
    RuleEntry(
        id=vte_specialist_review.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.SPELL,
        assess=vte_specialist_review.assess,
        reads=("platelets", *_TIER),
        closes="platelets at the LMWH limit, or tier 1 over",
        acted_by=(ANTICOAGULANT,),
    ),
    RuleEntry(
        id=vte_ppx_missing.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.SPELL,
        assess=vte_ppx_missing.assess,
        reads=("platelets", *_TIER, *_TAKEN, CONTRAINDICATED, "bleeding", *ALLERGENS),
        closes="dispense of any accepted agent, need ended, or course end",
        is_absence=True,
        superseded_by=(vte_specialist_review.RULE_ID,),
        acted_by=(ANTICOAGULANT, ASPIRIN, THERAPEUTIC, CONTRAINDICATED),
    ),
    RuleEntry(
        id=vte_monitor_only.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.SPELL,
        form=Form.CONTEXT,
        assess=vte_monitor_only.assess,
        reads=("platelets", *_TIER),
        closes="tier rises, or tier 2 with platelets at the aspirin limit",
    ),
    RuleEntry(
        id=vte_ppx_switch_due.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.SPELL,
        assess=vte_ppx_switch_due.assess,
        reads=("platelets", *_TIER, LMWH, VKA, ASPIRIN, THERAPEUTIC),
        closes="LMWH or warfarin ended or switched to aspirin",
        acted_by=(ASPIRIN, THERAPEUTIC),
    ),
    RuleEntry(
        id=vte_lmwh_renal.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.SPELL,
        assess=vte_lmwh_renal.assess,
        reads=(LMWH, "creatinine", "weight", "lenalidomide"),
        closes="clearance at the LMWH limit, or LMWH ended",
        acted_by=(ANTICOAGULANT,),
    ),
    RuleEntry(
        id=vte_lmwh_platelets.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.SPELL,
        assess=vte_lmwh_platelets.assess,
        reads=(LMWH, "platelets", "lenalidomide"),
        closes="platelets at the LMWH limit, or LMWH ended",
        acted_by=(LMWH,),
    ),
    RuleEntry(
        id=vte_aspirin_platelets.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.SPELL,
        assess=vte_aspirin_platelets.assess,
        reads=(ASPIRIN, "platelets", "lenalidomide"),
        closes="platelets at the aspirin limit, or aspirin ended",
        acted_by=(ASPIRIN,),
    ),
    RuleEntry(
        id=vte_warfarin_inr.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.SPELL,
        assess=vte_warfarin_inr.assess,
        reads=(VKA, "inr", "platelets", "lenalidomide"),
        closes="INR in the target and recent, or warfarin ended",
        acted_by=(VKA,),
    ),
    RuleEntry(
        id=vte_tier_change.RULE_ID,
        section="1.6",
        family="thrombosis",
        subject=Subject.FACT,
        assess=vte_tier_change.assess,
        reads=_TIER,
        closes="shown long enough after the fact",
    ),
)
