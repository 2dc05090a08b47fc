"""The monitoring rules, in order."""

from __future__ import annotations

from rules.baseline import MARROW_ANALYTE, MARROW_STATEMENT
from rules.entry import RuleEntry, Subject, only_quietened_by, through_course
from rules.monitoring import (
    cbc_baseline_missing,
    cbc_overdue,
    digoxin_level,
    heme_recheck_overdue,
    lft_overdue,
    spm_followup_due,
    tsh_overdue,
)

_CBC = ("anc", "wbc", "neutrophils-pct", "segs-pct", "bands-pct", "segs-abs", "bands-abs", "platelets")

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        id=cbc_baseline_missing.RULE_ID,
        section="1.12",
        family="monitoring",
        subject=Subject.COURSE,
        assess=cbc_baseline_missing.assess,
        reads=(*_CBC, "lenalidomide"),
        closes="valid CBC with ANC and platelets, or course end",
        is_absence=True,
        acted_by=("anc", "platelets"),
        limits=only_quietened_by(*_CBC),
    ),
    RuleEntry(
        id=cbc_overdue.RULE_ID,
        section="1.12",
        family="monitoring",
        subject=Subject.SPELL,
        assess=cbc_overdue.assess,
        reads=(*_CBC, "creatinine", "weight", MARROW_STATEMENT, MARROW_ANALYTE),
        closes="valid CBC with ANC and platelets, by collection time; or a hold opens",
        is_absence=True,
        acted_by=("anc", "platelets"),
    ),
    RuleEntry(
        id=heme_recheck_overdue.RULE_ID,
        section="2.1",
        family="monitoring",
        subject=Subject.SPELL,
        assess=heme_recheck_overdue.assess,
        reads=_CBC,
        closes="valid CBC with ANC and platelets, or hold released",
        is_absence=True,
        acted_by=("anc", "platelets"),
        limits=through_course(*_CBC),
    ),
    RuleEntry(
        id=lft_overdue.RULE_ID,
        section="1.11",
        family="monitoring",
        subject=Subject.SPELL,
        assess=lft_overdue.assess,
        reads=("lenalidomide", lft_overdue.ENZYME, lft_overdue.BILIRUBIN),
        closes="ALT and bilirubin recorded, or course end",
        is_absence=True,
        acted_by=(lft_overdue.ENZYME, lft_overdue.BILIRUBIN),
    ),
    RuleEntry(
        id=tsh_overdue.RULE_ID,
        section="1.11",
        family="monitoring",
        subject=Subject.SPELL,
        assess=tsh_overdue.assess,
        reads=("lenalidomide", tsh_overdue.TSH),
        closes="TSH recorded, or course end",
        is_absence=True,
        acted_by=(tsh_overdue.TSH,),
    ),
    RuleEntry(
        id=spm_followup_due.RULE_ID,
        section="1.11",
        family="monitoring",
        subject=Subject.SPELL,
        assess=spm_followup_due.assess,
        reads=("lenalidomide", spm_followup_due.REVIEW),
        closes="SPM review recorded",
        is_absence=True,
        acted_by=(spm_followup_due.REVIEW,),
    ),
    RuleEntry(
        id=digoxin_level.RULE_ID,
        section="2.4",
        family="monitoring",
        subject=Subject.SPELL,
        assess=digoxin_level.assess,
        reads=("lenalidomide", digoxin_level.DIGOXIN, digoxin_level.LEVEL),
        closes="digoxin level recorded, or digoxin ended",
        is_absence=True,
        acted_by=(digoxin_level.LEVEL,),
    ),
)
