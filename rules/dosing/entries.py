"""The dosing rules, in order."""

from __future__ import annotations

from rules.dosing import dispense_before_result, dose_floor, hold_dispense, resume_dose_high
from rules.entry import RuleEntry, Subject, through_course

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        id=hold_dispense.RULE_ID,
        section="1.10",
        family="dosing",
        subject=Subject.FACT,
        assess=hold_dispense.assess,
        reads=("lenalidomide", "anc", "platelets", "temperature"),
        closes="every hold released, dispense returned, or its supply used up",
        hangs_on_arrival=True,
        limits=through_course("anc", "platelets", "temperature"),
    ),
    RuleEntry(
        id=dispense_before_result.RULE_ID,
        section="1.10",
        family="dosing",
        subject=Subject.FACT,
        assess=dispense_before_result.assess,
        reads=("lenalidomide", "anc", "platelets", "temperature"),
        closes="every hold released, dispense returned, or its supply used up",
        hangs_on_arrival=True,
        limits=through_course("anc", "platelets", "temperature"),
    ),
    RuleEntry(
        id=resume_dose_high.RULE_ID,
        section="1.10",
        family="dosing",
        subject=Subject.FACT,
        assess=resume_dose_high.assess,
        reads=("lenalidomide", "anc", "platelets"),
        closes="dispense corrected, a later one at the allowed dose, or a new hold",
        acted_by=("lenalidomide",),
        limits=through_course("anc", "platelets"),
    ),
    RuleEntry(
        id=dose_floor.RULE_ID,
        section="1.10",
        family="dosing",
        subject=Subject.EPISODE,
        assess=dose_floor.assess,
        reads=("lenalidomide", "anc", "platelets"),
        closes="course ended, or lenalidomide given or dispensed after release",
        acted_by=("lenalidomide",),
        limits=through_course("anc", "platelets"),
    ),
)
