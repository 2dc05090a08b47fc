"""A liver that suffers on treatment: the run from the first raised value until all are back to the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from rules.holds import Episode, PastEpisode
from rules.ledger import Ledger
from rules.picture import Result
from rules.policy.terms import Number, Policy, Terms

LIVER = ("alt", "ast", "bilirubin")
_KEPT_PAST = 6


def limit_of(analyte: str, terms: Terms) -> Number:
    """The multiple of the normal limit above which a value is raised."""
    return terms.hep_bilirubin_times_uln if analyte == "bilirubin" else terms.hep_enzyme_times_uln


def assumed_limit_of(analyte: str, terms: Terms) -> Number:
    """The upper limit of normal that is taken where the laboratory sends none."""
    if analyte == "bilirubin":
        return terms.hep_bilirubin_uln_assumed
    return terms.hep_alt_uln_assumed if analyte == "alt" else terms.hep_ast_uln_assumed


def normal_limit_of(result: Result, terms: Terms) -> Decimal:
    """The laboratory's own upper limit of normal, else the one that is assumed."""
    return result.high if result.high is not None else assumed_limit_of(result.analyte, terms).value


def is_raised(result: Result, baseline: Result | None, times: Number, terms: Terms) -> bool | None:
    """Above the multiple of the normal limit, and new; None where a bound proves nothing.

    Where the baseline was itself above that multiple, the value must be above the multiple of the baseline.
    """
    limit = times.value * normal_limit_of(result, terms)
    if baseline is not None and baseline.value is not None and baseline.value > limit:
        limit = times.value * baseline.value
    is_within = result.is_at_most(limit)
    return None if is_within is None else not is_within


def is_settled(result: Result, baseline: Result | None, terms: Terms) -> bool:
    """Back to the baseline: at or below it, or within normal limits."""
    limits = [normal_limit_of(result, terms), baseline.value if baseline is not None else None]
    return any(limit is not None and result.is_at_most(limit) is True for limit in limits)


def advance_liver(ledger: Ledger, valid: Mapping[str, Result], policy: Policy) -> None:
    """Open or close the run by the values of one specimen; the ledger holds them as its newest already."""
    taken = [valid[name] for name in LIVER if name in valid]
    run, terms = ledger.liver, policy.terms
    if not taken or ledger.started_at is None:
        return
    if run is None:
        if ledger.ended_at is not None and taken[0].at > ledger.ended_at:
            return
        raised = [r for r in taken if is_raised(r, ledger.baseline.get(r.analyte), limit_of(r.analyte, terms), terms)]
        if raised:
            ledger.liver = Episode(raised[0].analyte, 1, raised[0], raised[0], raised[0])
            ledger.complication_at = raised[0].at
        return
    known = [ledger.newest[name] for name in LIVER if name in ledger.newest]
    if all(is_settled(result, ledger.baseline.get(result.analyte), terms) for result in known):
        closed = PastEpisode(run.analyte, 1, run.opened, taken[0].at)
        ledger.past_episodes = (*ledger.past_episodes, closed)[-_KEPT_PAST:]
        ledger.liver = None
