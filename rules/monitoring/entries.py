"""The monitoring rules, in order."""

from __future__ import annotations

from rules.baseline import MARROW_ANALYTE, MARROW_STATEMENT
from rules.entry import RuleEntry, Subject, through_course
from rules.monitoring import cbc_baseline_missing, cbc_overdue, heme_recheck_overdue

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
)
