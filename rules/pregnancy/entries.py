"""The rules of the pregnancy prevention programme, in order, and the holds they open."""

from __future__ import annotations

from rules.entry import RuleEntry, Subject
from rules.holds import StopRule
from rules.pregnancy import (
    ppp_coc,
    ppp_contraception_female,
    ppp_contraception_male,
    ppp_dispense_window,
    ppp_donation,
    ppp_male_tail,
    ppp_missed_menses,
    ppp_pregnancy_positive,
    ppp_supply_limit,
    ppp_test_indeterminate,
    ppp_test_missing,
    ppp_test_overdue,
    pregnancy_now,
)
from rules.pregnancy.childbearing_potential import READS as POTENTIAL
from rules.pregnancy.contraception_record import CODE as CONTRACEPTION
from rules.pregnancy.dispense_reference import AUTHORISATION
from rules.pregnancy.pregnancy_now import READS as PREGNANCY
from rules.pregnancy_evidence import OUTCOME, TESTS

_LENALIDOMIDE = ("lenalidomide", "cycle-day-1-taken", "lenalidomide-stopped")

STOP_RULES: tuple[StopRule, ...] = (
    StopRule(
        pregnancy_now.POSITIVE_ID, pregnancy_now.find_pregnancy_stop, pregnancy_now.concerns, pregnancy_now.RESULTS
    ),
    StopRule(
        pregnancy_now.INDETERMINATE_ID,
        pregnancy_now.find_indeterminate_stop,
        pregnancy_now.concerns,
        pregnancy_now.RESULTS,
    ),
    StopRule(pregnancy_now.MENSES_ID, pregnancy_now.find_menses_stop, pregnancy_now.concerns, pregnancy_now.RESULTS),
)

ENTRIES: tuple[RuleEntry, ...] = (
    RuleEntry(
        id=ppp_pregnancy_positive.RULE_ID,
        section="1.9",
        family="pregnancy",
        subject=Subject.EPISODE,
        assess=ppp_pregnancy_positive.assess,
        reads=PREGNANCY,
        closes="pregnancy excluded or ended, and released by a specialist",
        is_hold=True,
        acted_by=(OUTCOME,),
    ),
    RuleEntry(
        id=ppp_test_indeterminate.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.FACT,
        assess=ppp_test_indeterminate.assess,
        reads=PREGNANCY,
        closes="negative test, or a specialist's word",
        is_hold=True,
        superseded_by=(ppp_pregnancy_positive.RULE_ID,),
        acted_by=TESTS,
    ),
    RuleEntry(
        id=ppp_missed_menses.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.FACT,
        assess=ppp_missed_menses.assess,
        reads=PREGNANCY,
        closes="negative test after it, or a specialist's word",
        is_hold=True,
        superseded_by=(ppp_pregnancy_positive.RULE_ID,),
        acted_by=TESTS,
    ),
    RuleEntry(
        id=ppp_test_missing.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.COURSE,
        assess=ppp_test_missing.assess,
        reads=(*PREGNANCY, CONTRACEPTION, *_LENALIDOMIDE),
        closes="tests present in their windows, or a negative test on treatment",
        is_absence=True,
        acted_by=TESTS,
    ),
    RuleEntry(
        id=ppp_test_overdue.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.SPELL,
        assess=ppp_test_overdue.assess,
        reads=(*PREGNANCY, *_LENALIDOMIDE),
        closes="pregnancy test recorded, or potential or obligation ended",
        is_absence=True,
        acted_by=TESTS,
    ),
    RuleEntry(
        id=ppp_dispense_window.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.FACT,
        assess=ppp_dispense_window.assess,
        reads=(*PREGNANCY, AUTHORISATION, *_LENALIDOMIDE),
        closes="dispense returned, negative test after it, or supply used up",
        acted_by=TESTS,
    ),
    RuleEntry(
        id=ppp_supply_limit.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.FACT,
        assess=ppp_supply_limit.assess,
        reads=(*POTENTIAL, *_LENALIDOMIDE),
        closes="dispense returned or corrected, or surplus used up",
    ),
    RuleEntry(
        id=ppp_contraception_female.RULE_ID,
        section="1.9",
        family="pregnancy",
        subject=Subject.SPELL,
        assess=ppp_contraception_female.assess,
        reads=(*PREGNANCY, CONTRACEPTION, "planned-cycle-day-1", *_LENALIDOMIDE),
        closes="record covers lead-in, treatment and tail, or tail over",
        is_absence=True,
        acted_by=(CONTRACEPTION,),
    ),
    RuleEntry(
        id=ppp_contraception_male.RULE_ID,
        section="1.9",
        family="pregnancy",
        subject=Subject.SPELL,
        assess=ppp_contraception_male.assess,
        reads=("person", POTENTIAL[0], CONTRACEPTION, ppp_contraception_male.PARTNER, *_LENALIDOMIDE),
        closes="condom or abstinence recorded, or tail after the last dose over",
        is_absence=True,
        acted_by=(CONTRACEPTION,),
    ),
    RuleEntry(
        id=ppp_male_tail.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.COURSE,
        assess=ppp_male_tail.assess,
        reads=("person", CONTRACEPTION, ppp_contraception_male.PARTNER, *_LENALIDOMIDE),
        closes="record reaches the end of the tail, or tail over",
        is_absence=True,
        acted_by=(CONTRACEPTION,),
    ),
    RuleEntry(
        id=ppp_donation.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.FACT,
        assess=ppp_donation.assess,
        reads=(ppp_donation.CODE, *_LENALIDOMIDE),
        closes="some time after the donation record",
    ),
    RuleEntry(
        id=ppp_coc.RULE_ID,
        section="2.3",
        family="pregnancy",
        subject=Subject.SPELL,
        assess=ppp_coc.assess,
        reads=(ppp_coc.COMBINED, ppp_coc.KIND_UNKNOWN, *_LENALIDOMIDE),
        closes="contraceptive coverage ended",
        acted_by=(ppp_coc.COMBINED, ppp_coc.KIND_UNKNOWN),
    ),
)
