"""The infection rules, in order."""

from __future__ import annotations

from rules.entry import RuleEntry, Subject
from rules.infection import inf_ppx_end, inf_ppx_missing, risk_groups

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        id=inf_ppx_missing.RULE_ID,
        section="1.8",
        family="infection",
        subject=Subject.SPELL,
        assess=inf_ppx_missing.assess,
        reads=(
            inf_ppx_missing.AGENTS,
            *risk_groups.READS,
            *inf_ppx_missing.SUBSTANCES,
            inf_ppx_missing.DECLINED,
            "lenalidomide",
        ),
        closes="dispense of any accepted agent, or day 1 of the cycle after those with prophylaxis",
        is_absence=True,
        acted_by=(inf_ppx_missing.AGENTS, inf_ppx_missing.DECLINED),
    ),
    RuleEntry(
        id=inf_ppx_end.RULE_ID,
        section="1.8",
        family="infection",
        subject=Subject.COURSE,
        assess=inf_ppx_end.assess,
        reads=(inf_ppx_end.AGENTS, inf_ppx_end.JUSTIFIED, "lenalidomide"),
        closes="prophylaxis ended, reason coded, or day 1 of the next cycle",
        acted_by=(inf_ppx_end.JUSTIFIED,),
    ),
)
