"""The dataquality rules, in order."""

from __future__ import annotations

from rules.dataquality import (
    assessment_gap,
    dq_anc_uncomputable,
    dq_code_system,
    dq_conflict,
    dq_implausible,
    dq_platelet_clump,
    dq_unit,
)
from rules.entry import RuleEntry, Subject, through_course

_ANC = ("anc", "wbc", "neutrophils-pct", "segs-pct", "bands-pct", "segs-abs", "bands-abs")
_DECIDES = (*_ANC, "platelets", "haemoglobin", "creatinine", "weight", "temperature", "inr")
"""Analytes on which some rule decides: a doubt about one of them is worth saying."""

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        id=assessment_gap.RULE_ID,
        section="1.14",
        family="dataquality",
        subject=Subject.COURSE,
        assess=assessment_gap.assess,
        reads=(),
        closes="no rule left unassessable, or course end",
    ),
    RuleEntry(
        id=dq_unit.RULE_ID,
        section="7.2",
        family="dataquality",
        subject=Subject.FACT,
        assess=dq_unit.assess,
        reads=_DECIDES,
        closes="corrected unit, or newer valid result of the same analyte",
        limits=through_course(*_DECIDES),
    ),
    RuleEntry(
        id=dq_implausible.RULE_ID,
        section="7.2",
        family="dataquality",
        subject=Subject.FACT,
        assess=dq_implausible.assess,
        reads=_DECIDES,
        closes="corrected plausible result, or newer valid one of the same analyte",
        limits=through_course(*_DECIDES),
    ),
    RuleEntry(
        id=dq_anc_uncomputable.RULE_ID,
        section="7.2",
        family="dataquality",
        subject=Subject.FACT,
        assess=dq_anc_uncomputable.assess,
        reads=_ANC,
        closes="ANC reported or computable on this or a newer specimen",
        limits=through_course(*_ANC),
    ),
    RuleEntry(
        id=dq_conflict.RULE_ID,
        section="7.2",
        family="dataquality",
        subject=Subject.FACT,
        assess=dq_conflict.assess,
        reads=_DECIDES,
        closes="correction brings the values together, or newer valid specimen",
        limits=through_course(*_DECIDES),
    ),
    RuleEntry(
        id=dq_platelet_clump.RULE_ID,
        section="7.2",
        family="dataquality",
        subject=Subject.FACT,
        assess=dq_platelet_clump.assess,
        reads=("platelets",),
        closes="count without clumps of the same draw, or a newer one",
        limits=through_course("platelets"),
    ),
    RuleEntry(
        id=dq_code_system.RULE_ID,
        section="7.2",
        family="dataquality",
        subject=Subject.SPELL,
        assess=dq_code_system.assess,
        reads=_DECIDES,
        closes="same analyte received under an accepted code system",
        limits=through_course(*_DECIDES),
    ),
)
