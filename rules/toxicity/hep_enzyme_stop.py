"""Liver values that rose on lenalidomide: interrupt it until they are back.

Watches for    ALT, AST or bilirubin above its multiple of the normal limit and not so before treatment; critical
               while ALT and bilirubin are raised together (a possible Hy's-law case). It holds until the newest of all
               three are back to the baseline.
Stays silent   below, and with no value at all (see `lft-overdue`).
Cannot assess  where the newest value cannot be used. Where the laboratory gave no normal limit a common one is taken.
Numbers        hep_enzyme_times_uln, hep_bilirubin_times_uln, hep_hys_bilirubin_times_uln, hep_alt_uln_assumed,
               hep_ast_uln_assumed, hep_bilirubin_uln_assumed, baseline_window_days
"""

from __future__ import annotations

from rules.answers import NOTHING, Answer, CannotAssess, Finding, Shown, found, latest
from rules.holds import Stop
from rules.ledger import Ledger
from rules.liver import LIVER, assumed_limit_of, is_raised, limit_of
from rules.policy.terms import Policy
from rules.view import View
from schemas.alerts import Action, Advice

RULE_ID = "hep-enzyme-stop"
RESULTS = frozenset(LIVER)
"""Liver values open and end it."""
_NAMES = {"alt": "ALT", "ast": "AST", "bilirubin": "bilirubin"}


def find(ledger: Ledger, policy: Policy) -> tuple[Stop, ...]:
    """The present run of raised values."""
    run = ledger.liver
    return () if run is None else (Stop(RULE_ID, "", None, run.opened.at, run.opened.known, run.opened),)


def assess(view: View) -> Answer:
    """The run, and whether two of its values together are worse."""
    run, terms = view.ledger.liver, view.policy.terms
    if not view.is_on_treatment:
        return NOTHING
    if run is None:
        return _blind(view)
    newest = [result for name in LIVER if (result := view.newest(name)) is not None]
    assumed = [(result, assumed_limit_of(result.analyte, terms)) for result in newest if result.high is None]
    is_hys = _is_above(view, "alt") and _is_above(view, "bilirubin", is_hys=True)
    told = ", ".join(f"{_NAMES[result.analyte]} {result.shown} {result.canonical or ''}".rstrip() for result in newest)
    worse = " ALT and bilirubin are raised together: a possible Hy's-law case, act today." if is_hys else ""
    return found(
        Finding(
            since=run.opened.at,
            effective_at=latest(*(result.at for result in newest), view.restarted_at),
            reason="hys-law" if is_hys else None,
            title=f"Stop lenalidomide: {told}",
            message=f"Liver values rose on lenalidomide: {told}.{worse} Stop lenalidomide, look for the cause, and repeat "
            "the tests. When they are back to the baseline a lower dose may be considered.",
            advice=Advice(action=Action.HOLD, agent="lenalidomide"),
            evidence=(
                Shown("value that opened it", run.opened),
                *(Shown("newest", r) for r in newest if r != run.opened),
            ),
            thresholds=(
                *(terms.hep_enzyme_times_uln, terms.hep_bilirubin_times_uln, terms.hep_hys_bilirubin_times_uln),
                *(number for _, number in assumed),
            ),
            context=tuple(
                f"The laboratory sent no normal limit of {_NAMES[result.analyte]}: {number} {number.unit} is taken."
                for result, number in assumed
            ),
        )
    )


def _is_above(view: View, analyte: str, *, is_hys: bool = False) -> bool:
    result, terms = view.newest(analyte), view.policy.terms
    times = terms.hep_hys_bilirubin_times_uln if is_hys else limit_of(analyte, terms)
    return result is not None and bool(is_raised(result, view.baseline(analyte), times, terms))


def _blind(view: View) -> Answer:
    missing = [f"a usable value of the newest {_NAMES[name]}" for name in LIVER if view.unusable(name) is not None]
    return CannotAssess(tuple(missing)) if missing else NOTHING
