"""Who can become pregnant: sex, the word of a person, menopause, age (clinical reference, part 2.3).

Unknown counts as possible: unknown sex, unknown potential, an exemption that the policy does not accept, a menopause
that came too short ago, and a word that a later one contradicts. What is unknown is said in the alert's context.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from rules.answers import earliest, latest
from rules.calendar import local_day, months_before, start_of_day
from rules.ledger import Ledger
from rules.picture import Statement
from rules.policy.terms import Policy
from rules.view import View

STATED, MENSES, LAST_MENSES = "childbearing-potential", "menses", "last-menses"
READS = (STATED, MENSES, LAST_MENSES, "person")
_ENDS_IT = frozenset(("no", "hysterectomy", "oophorectomy"))
_MEDICAL = frozenset(("ovarian-failure", "chromosomal"))
_MENSTRUATES = frozenset(("regular", "irregular", "missed"))
_NO_SEX = "Neither female nor male is recorded: taken to be able to become pregnant."
_NO_WORD = "Childbearing potential is not recorded: taken as possible."


@dataclass(frozen=True, slots=True)
class Potential:
    """Whether pregnancy is possible; since when where that is known, and when time alone changes it."""

    is_possible: bool
    since: datetime | None = None
    changes_at: datetime | None = None
    context: tuple[str, ...] = ()


def potential_of(view: View) -> Potential:
    """As of the instant of the view."""
    return view.derive(_of_view)


def is_male(ledger: Ledger) -> bool:
    """Recorded as male."""
    return ledger.person is not None and ledger.person.sex == "male"


def _of_view(view: View) -> Potential:
    return childbearing_potential(view.ledger, view.policy, view.at)


def childbearing_potential(ledger: Ledger, policy: Policy, at: datetime) -> Potential:
    """As of an instant; a newer word replaces an older one."""
    stated = ledger.statements.get(STATED)
    ends = stated.until if stated is not None else None
    is_valid = stated is not None and (ends is None or at < ends)
    if is_male(ledger):
        if stated is not None and is_valid and stated.value_code == "yes":
            return Potential(
                True, stated.at, ends, ("Recorded as male, and childbearing potential stated: verify both.",)
            )
        return Potential(False, changes_at=None)
    unknown_sex = () if ledger.person is not None and ledger.person.sex == "female" else (_NO_SEX,)
    if stated is not None and is_valid:
        return _as_stated(ledger, stated, policy, at, unknown_sex)
    terms = policy.terms
    assumed = _birthday(ledger, terms.ppp_assumed_menopausal_at.whole) if terms.ppp_age_ends_potential else None
    if assumed is not None and assumed <= at:
        return Potential(False)
    # A word that was over when it was given says nothing from then on.
    since = latest(stated.at, ends) if stated is not None else None
    return Potential(True, since, assumed, (*unknown_sex, _NO_WORD))


def _as_stated(ledger: Ledger, stated: Statement, policy: Policy, at: datetime, note: tuple[str, ...]) -> Potential:
    value, first = stated.value_code, ledger.first_stated[STATED].at
    if value in _ENDS_IT or (value in _MEDICAL and policy.terms.ppp_medical_exemptions):
        return Potential(False, changes_at=stated.until)
    if value != "postmenopausal":
        return Potential(True, first, stated.until, note)
    menses = ledger.statements.get(MENSES)
    if menses is not None and menses.value_code in _MENSTRUATES and menses.at > stated.at:
        return Potential(
            True, menses.at, stated.until, (*note, "Menopause is stated, and menses are after it: verify.")
        )
    counts_from = _menopause_counts_from(ledger, policy)
    if counts_from is not None and counts_from <= at:
        return Potential(False, changes_at=stated.until)
    since = max(s.at for s in (ledger.first_stated[STATED], ledger.statements.get(LAST_MENSES)) if s is not None)
    too_short = "Menopause is stated; age or time since the last menses do not yet suffice."
    return Potential(True, since, earliest(stated.until, counts_from), (*note, too_short))


def _menopause_counts_from(ledger: Ledger, policy: Policy) -> datetime | None:
    """When the stated menopause is long enough ago, at an age that counts; None where the age is not known."""
    terms, last = policy.terms, ledger.statements.get(LAST_MENSES)
    begin = datetime.min.replace(tzinfo=ledger.first_stated[STATED].at.tzinfo)
    if last is not None and last.when is not None:
        day = months_before(local_day(last.when, ledger.zone), -terms.ppp_menopause_months.whole)
        begin = start_of_day(day, ledger.zone)
    if terms.ppp_menopause_age_at.whole == 0:
        return begin
    birthday = _birthday(ledger, terms.ppp_menopause_age_at.whole)
    return latest(begin, birthday) if birthday is not None else None


def _birthday(ledger: Ledger, years: int) -> datetime | None:
    """The day on which these years are completed for certain; the later day where the birth date is partial."""
    born: date | None = ledger.person.birth_latest if ledger.person is not None else None
    return start_of_day(months_before(born, -12 * years), ledger.zone) if born is not None else None
