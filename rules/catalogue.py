"""Every rule, in order, by hand.

There is no discovery: a rule that is not in its family's `entries.py`, listed here, does not run.
`docs/rules.md` is generated from this list and the policy.
"""

from __future__ import annotations

from rules.dataquality.entries import ENTRIES as DATA_QUALITY
from rules.dosing.entries import ENTRIES as DOSING
from rules.entry import RuleEntry
from rules.haematology import anc_cycle_delay, anc_hold, fn_suspected, plt_hold
from rules.haematology.entries import ENTRIES as HAEMATOLOGY
from rules.holds import CountHoldRule, FeverHoldRule, HoldRules, StopRule
from rules.indication.entries import ENTRIES as INDICATION
from rules.infection.entries import ENTRIES as INFECTION
from rules.monitoring.entries import ENTRIES as MONITORING
from rules.pregnancy.entries import ENTRIES as PREGNANCY
from rules.pregnancy.entries import STOP_RULES as PREGNANCY_STOPS
from rules.renal.entries import ENTRIES as RENAL
from rules.thrombosis import ate_event, vte_event_hold
from rules.thrombosis.entries import ENTRIES as THROMBOSIS
from rules.toxicity import hep_enzyme_stop, hyper_stop, nonheme_g34, skin
from rules.toxicity.entries import ENTRIES as TOXICITY

RULES_VERSION = "1"
"""Changes whenever a rule's code may answer differently; part of every policy activation."""

HOLD_RULES = HoldRules(
    counts=(
        CountHoldRule(anc_hold.RULE_ID, "severe", "anc", "anc_severe", anc_hold.opens_severe, anc_hold.releases),
        CountHoldRule(
            anc_cycle_delay.RULE_ID,
            "pre-cycle",
            "anc",
            "anc_cycle_start_below",
            anc_cycle_delay.opens,
            anc_hold.releases,
        ),
        CountHoldRule(anc_hold.RULE_ID, "repeat", "anc", "anc_episode_below", anc_hold.opens_repeat, anc_hold.releases),
        CountHoldRule(anc_hold.RULE_ID, "label", "anc", "anc_episode_below", anc_hold.opens_label, anc_hold.releases),
        CountHoldRule(plt_hold.RULE_ID, "low", "platelets", "plt_hold_below", plt_hold.opens, plt_hold.releases),
    ),
    fever=FeverHoldRule(fn_suspected.RULE_ID, fn_suspected.opens, fn_suspected.releases),
    stops=(
        StopRule(hyper_stop.RULE_ID, hyper_stop.find, hyper_stop.concerns),
        StopRule(skin.DERM_STOP, skin.find, skin.concerns),
        StopRule(hep_enzyme_stop.RULE_ID, hep_enzyme_stop.find, results=hep_enzyme_stop.RESULTS),
        StopRule(nonheme_g34.RULE_ID, nonheme_g34.find, nonheme_g34.concerns),
        StopRule(vte_event_hold.RULE_ID, vte_event_hold.find, vte_event_hold.concerns),
        StopRule(ate_event.RULE_ID, ate_event.find, ate_event.concerns),
        *PREGNANCY_STOPS,
    ),
)

CATALOGUE: tuple[RuleEntry, ...] = (
    *HAEMATOLOGY,
    *DOSING,
    *RENAL,
    *INDICATION,
    *MONITORING,
    *THROMBOSIS,
    *INFECTION,
    *PREGNANCY,
    *TOXICITY,
    *DATA_QUALITY,
)

BY_ID = {entry.id: entry for entry in CATALOGUE}
