"""Results of one specimen advance the ledger: newest values, doubts, episodes, holds, fever.

A panel is judged as a whole. Preliminary results are kept beside the valid ones: they may show a
provisional alert, but open, release and close nothing. A result in doubt about its unit opens a
hold (the safe side) and never releases one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from rules.calendar import days_between
from rules.course_moment import moment_of
from rules.holds import CountHoldRule, Episode, Fever, Hold, HoldRules, Moment, PastEpisode, is_hold_known_at
from rules.ledger import LENALIDOMIDE, Doubt, HeldDispense, Ledger
from rules.liver import advance_liver
from rules.lysis import LYSIS, advance_lysis
from rules.picture import Result
from rules.policy.terms import Policy
from rules.pregnancy_evidence import take_answers
from rules.stops import open_stops
from schemas.events import FactStatus, ResultDoubt

COUNTS = ("anc", "wbc", "platelets", "haemoglobin")
_SCALED = ("anc", "wbc", "platelets")
_HUNDRED = Decimal(100)
_KEPT_PAST = 6
_KEPT_LATE = 4
_KEPT_RELEASED = 6
_FOLLOWED = ("creatinine", "egfr")
_KEPT_OLDER = 8
_THINNED_TO_DAYS = 7
"""How far apart older values of a series are kept: no limit of medicine, only what a record has room for."""
_KEPT_DOUBTS = 4
"""Of one kind and analyte, so that a feed that lost its units does not grow the record without end."""
_DOUBT_KINDS = {
    ResultDoubt.UNIT_MISSING: "unit",
    ResultDoubt.UNIT_UNKNOWN: "unit",
    ResultDoubt.IMPLAUSIBLE: "implausible",
    ResultDoubt.CLUMPED: "clumped",
    ResultDoubt.CODE_SYSTEM: "code-system",
}


def advance_results(ledger: Ledger, results: list[Result], policy: Policy, hold_rules: HoldRules) -> None:
    """Advance the ledger, which must be the caller's own copy, by all results of one instant."""
    by_analyte: dict[str, list[Result]] = {}
    for result in results:
        by_analyte.setdefault(result.analyte, []).append(result)
        if result.doubt is not None:
            _note_unusable(ledger, result)
    _settle_code_systems(ledger, results)
    take_answers(ledger, results, policy)
    panel: dict[str, Result] = {}
    for analyte, values in by_analyte.items():
        chosen = _choose(ledger, analyte, values, policy)
        if chosen is not None:
            panel[analyte] = chosen
    _settle_anc(ledger, panel, by_analyte, policy)
    valid = {name: result for name, result in panel.items() if not result.is_preliminary}
    if len(valid) < len(panel):
        early = {name: result for name, result in panel.items() if result.is_preliminary}
        ledger.preliminary = {**ledger.preliminary, **early}
    if not valid:
        return
    if "anc" in valid and "platelets" in valid:
        ledger.last_cbc = valid["platelets"]
        ledger.holds = tuple(replace(hold, rechecked_at=valid["platelets"].at) for hold in ledger.holds)
    marked = {name: _doubt_scale(ledger, result, policy) for name, result in valid.items()}
    _settle_doubts(ledger, marked)
    _extend_baseline(ledger, marked)
    ledger.previous = {**ledger.previous, **{name: ledger.newest[name] for name in marked if name in ledger.newest}}
    ledger.newest = {**ledger.newest, **marked}
    _forget(ledger, marked)
    followed = {name: marked[name] for name in _FOLLOWED if name in marked}
    if followed:
        ledger.series = {**ledger.series, **{name: _extended(ledger, value) for name, value in followed.items()}}
    if "anc" in marked:
        _judge_count(ledger, marked["anc"], "anc", policy, hold_rules)
    if "platelets" in marked:
        _judge_count(ledger, marked["platelets"], "platelets", policy, hold_rules)
    advance_liver(ledger, marked, policy)
    if not marked.keys().isdisjoint(LYSIS):
        advance_lysis(ledger, policy)
    if "haemoglobin" in marked:
        _advance_anaemia(ledger, marked["haemoglobin"], policy)
    if "temperature" in marked:
        _take_temperature(ledger, marked["temperature"], policy)
    if ledger.fever is not None and ("temperature" in marked or "anc" in marked):
        _judge_fever(ledger, policy, hold_rules)


def _choose(ledger: Ledger, analyte: str, values: list[Result], policy: Policy) -> Result | None:
    """The value of one analyte of a specimen: final before preliminary, and of two the safer."""
    if len(values) == 1:
        return values[0] if values[0].is_usable else None
    usable = [result for result in values if result.is_usable]
    final = [result for result in usable if not result.is_preliminary] or usable
    # Clumping only ever lowers a platelet count: the same specimen counted without clumps is right.
    final = [result for result in final if result.doubt is None] or final
    if len(final) < 2:
        return final[0] if final else None
    ordered = sorted(final, key=_value)
    low, high = ordered[0], ordered[-1]
    # For counts the lower value is the safe one; for creatinine, INR or temperature the higher.
    safe, other = (low, high) if analyte in COUNTS else (high, low)
    if not safe.is_preliminary and _conflict(low, high, policy.terms.dq_conflict_percent.value):
        _note_doubt(ledger, Doubt("conflict", safe, other))
    return safe


def _conflict(low: Result, high: Result, percent: Decimal) -> bool:
    """Whether two values differ by more than the share; a bound may hide any value on its side."""
    if high.bound in ("<", "<=") or low.bound in (">", ">="):
        return False
    return (_value(high) - _value(low)) * _HUNDRED > _value(high) * percent


def _value(result: Result) -> Decimal:
    return result.value if result.value is not None else Decimal(0)


def _note_unusable(ledger: Ledger, result: Result) -> None:
    kind = _DOUBT_KINDS.get(result.doubt) if result.doubt else None
    if kind is not None:
        _note_doubt(ledger, Doubt(kind, result))
    if not result.is_usable:
        ledger.unusable = {**ledger.unusable, result.analyte: result}


def _note_doubt(ledger: Ledger, doubt: Doubt) -> None:
    """Remember the newest few of a kind and analyte; of a refused code system the first and the newest."""
    same = [held for held in ledger.doubts if (held.kind, held.result.analyte) == (doubt.kind, doubt.result.analyte)]
    if doubt.kind == "code-system" and same:
        spell = replace(same[0], other=doubt.result)
        ledger.doubts = tuple(spell if held is same[0] else held for held in ledger.doubts)
        return
    drop = same[0] if len(same) >= _KEPT_DOUBTS else None
    ledger.doubts = (*(held for held in ledger.doubts if held is not drop), doubt)


def _settle_code_systems(ledger: Ledger, results: Iterable[Result]) -> None:
    """The same analyte under a code system we accept ends the spell, usable or not."""
    if not ledger.doubts or not any(doubt.kind == "code-system" for doubt in ledger.doubts):
        return
    accepted = {result.analyte for result in results if result.doubt is not ResultDoubt.CODE_SYSTEM}
    ledger.doubts = tuple(
        doubt for doubt in ledger.doubts if doubt.kind != "code-system" or doubt.result.analyte not in accepted
    )


def _settle_anc(ledger: Ledger, panel: dict[str, Result], received: Mapping[str, list[Result]], policy: Policy) -> None:
    """Compute the ANC where it was not measured, and refuse one that the WBC contradicts."""
    wbc, measured = panel.get("wbc"), panel.get("anc")
    if measured is None or measured.is_preliminary:
        computed = compute_anc(panel)
        # Final parts say more than a measured count that is not final yet.
        if computed is not None and (measured is None or not computed.is_preliminary):
            panel["anc"] = computed
        elif wbc is not None and not wbc.is_preliminary and "anc" not in received:
            _note_doubt(ledger, Doubt("anc-uncomputable", wbc))
    anc = panel.get("anc")
    if anc is None or wbc is None or anc.bound is not None or wbc.bound is not None:
        return
    if wbc.is_preliminary and not anc.is_preliminary:
        return
    if _value(anc) > _value(wbc) * policy.terms.dq_anc_over_wbc.value:
        del panel["anc"]
        _note_doubt(ledger, Doubt("implausible", anc, wbc))
        ledger.unusable = {**ledger.unusable, "anc": anc}


def compute_anc(panel: Mapping[str, Result]) -> Result | None:
    """ANC of one specimen from its parts; None where they do not suffice.

    Total neutrophil percent already contains the bands; segmented percent does not. Percent and
    WBC must be of the same specimen (clinical reference, part 5).
    """
    segs, bands = panel.get("segs-abs"), panel.get("bands-abs")
    if segs is not None and bands is not None and not (segs.bound or bands.bound):
        return _computed(segs, _value(segs) + _value(bands), (segs, bands), "segmented + bands")
    wbc = panel.get("wbc")
    if wbc is None or wbc.bound:
        return None
    total = panel.get("neutrophils-pct")
    if total is not None and not total.bound:
        return _computed(wbc, _value(wbc) * _value(total) / _HUNDRED, (wbc, total), f"WBC x {total.shown} %")
    segs, bands = panel.get("segs-pct"), panel.get("bands-pct")
    if segs is None or bands is None or segs.bound or bands.bound:
        return None
    share = _value(segs) + _value(bands)
    return _computed(wbc, _value(wbc) * share / _HUNDRED, (wbc, segs, bands), f"WBC x ({segs.shown} + {bands.shown}) %")


def _computed(base: Result, value: Decimal, parts: Iterable[Result], how: str) -> Result:
    preliminary = any(part.is_preliminary for part in parts)
    return replace(
        base,
        id=f"anc:{base.id}",
        analyte="anc",
        value=value,
        bound=None,
        doubt=None,
        received=f"{base.received} ({how})",
        canonical="cells/uL",
        low=None,
        high=None,
        earlier=(),
        status=FactStatus.PRELIMINARY if preliminary else base.status,
    )


def _doubt_scale(ledger: Ledger, result: Result, policy: Policy) -> Result:
    """Mark a count whose jump from the previous one looks like another unit (clinical reference, 7.2).

    Where the previous one was itself in doubt, agreeing with the one before it is enough: the
    return to the old scale is no second doubt.
    """
    before = ledger.newest.get(result.analyte)
    if result.analyte not in _SCALED or before is None or not _is_off_scale(result, before, policy):
        return result
    earlier = ledger.previous.get(result.analyte)
    if before.unit_doubted and earlier is not None and not _is_off_scale(result, earlier, policy):
        return result
    marked = replace(result, unit_doubted=True)
    _note_doubt(ledger, Doubt("unit", marked, before))
    return marked


def _is_off_scale(result: Result, before: Result, policy: Policy) -> bool:
    if not before.value or not result.value:
        return False
    terms = policy.terms
    factor = max(result.value, before.value) / min(result.value, before.value)
    near = terms.dq_scale_unit_factor.value
    slack = near * terms.dq_scale_unit_percent.value / _HUNDRED
    has_changed = (result.unit, result.code) != (before.unit, before.code)
    return factor >= terms.dq_scale_factor.value or (has_changed and abs(factor - near) <= slack)


def _settle_doubts(ledger: Ledger, valid: Mapping[str, Result]) -> None:
    """A newer valid result of the same analyte ends a doubt about an older one."""
    if not ledger.doubts:
        return
    ledger.doubts = tuple(doubt for doubt in ledger.doubts if not _is_settled(doubt, valid))


def _is_settled(doubt: Doubt, valid: Mapping[str, Result]) -> bool:
    if doubt.kind == "code-system":
        return False
    newer = valid.get("anc" if doubt.kind == "anc-uncomputable" else doubt.result.analyte)
    if newer is None or newer.is_doubtful:
        return False
    # A repeat without clumps and a differential may carry the collection time of the first tube.
    is_same_tube_enough = doubt.kind in ("anc-uncomputable", "clumped")
    return newer.at > doubt.result.at or (is_same_tube_enough and newer.at == doubt.result.at)


def _forget(ledger: Ledger, valid: Mapping[str, Result]) -> None:
    """What a valid result replaces: preliminary and unusable ones of the same analyte, up to its instant."""
    if not ledger.preliminary and not ledger.unusable:
        return
    for name in ("preliminary", "unusable"):
        held: dict[str, Result] = getattr(ledger, name)
        if any(analyte in held and held[analyte].at <= result.at for analyte, result in valid.items()):
            setattr(ledger, name, {a: r for a, r in held.items() if a not in valid or r.at > valid[a].at})


def _extend_baseline(ledger: Ledger, valid: Mapping[str, Result]) -> None:
    """Between the first dispense and a planned day 1 of cycle 1, a newer count still is the baseline."""
    if len(ledger.cycles) == 1 and ledger.cycles[0].number == 1:
        day_1 = ledger.cycles[0].day_1
        early = {name: result for name, result in valid.items() if result.at < day_1}
        if early:
            ledger.baseline = {**ledger.baseline, **early}


def _extended(ledger: Ledger, result: Result) -> tuple[Result, ...]:
    """The values of one analyte with one more: the newest two, before them the highest of each week, then fewer."""
    values = (*ledger.series.get(result.analyte, ()), result)
    older, newest = values[:-2], values[-2:]
    if len(older) > 1 and days_between(older[-2].at, older[-1].at, ledger.zone) < _THINNED_TO_DAYS:
        older = _joined(older, len(older) - 1)
    if len(older) > _KEPT_OLDER:
        # Where room runs out the two that lie closest become one, so that the oldest stays and far back is sparse.
        closest = min(range(len(older) - 1, 0, -1), key=lambda place: older[place].at - older[place - 1].at)
        older = _joined(older, closest)
    return (*older, *newest)


def _joined(values: tuple[Result, ...], place: int) -> tuple[Result, ...]:
    """Two neighbours as one, the higher of them."""
    return (*values[: place - 1], max(values[place - 1 : place + 1], key=_value), *values[place + 1 :])


def _advance_anaemia(ledger: Ledger, count: Result, policy: Policy) -> None:
    """A run of low haemoglobin values, so that one alert spans it; a bound that proves nothing changes nothing."""
    is_low, spell = count.is_below(policy.terms.hb_low_below.value), ledger.anaemia
    if is_low is None:
        return
    if not is_low:
        ledger.anaemia = None
    elif spell is None:
        ledger.anaemia = Episode("haemoglobin", 1, count, count, count)
    else:
        nadir = count if _value(count) < _value(spell.nadir) else spell.nadir
        ledger.anaemia = replace(spell, nadir=nadir, newest=count)


def _judge_count(ledger: Ledger, count: Result, cause: str, policy: Policy, hold_rules: HoldRules) -> None:
    if ledger.started_at is None:
        return
    terms = policy.terms
    limit = (terms.anc_episode_below if cause == "anc" else terms.plt_episode_below).value
    is_low = count.is_below(limit)
    if is_low is None:
        # The bound proves neither side of the limit: no episode may open or close on it.
        ledger.unusable = {**ledger.unusable, cause: count}
        return
    rules = hold_rules.of_cause(cause)
    hold = next((held for held in ledger.holds if held.cause == cause), None)
    if not is_low and _may_be_older(ledger, count, cause, hold):
        return
    if ledger.ended_at is not None and count.at > ledger.ended_at:
        # After the course nothing opens; a hold left open still ends by its counts and by nothing else.
        if hold is not None and _is_released(hold, count, rules, policy):
            _release(ledger, hold, count)
        return
    _advance_episode(ledger, count, cause, is_low)
    if hold is None and all(count.is_at_most(getattr(terms, rule.highest).value) is False for rule in rules):
        return
    moment = moment_of(ledger, count, cause, policy)
    decided = _first_that_opens(rules, count, moment, policy)
    if hold is None:
        if decided is not None:
            _open_hold(ledger, count, cause, decided, moment, policy)
        return
    if _is_released(hold, count, rules, policy):
        _release(ledger, hold, count)
        return
    _keep_holding(ledger, hold, count, decided, rules, policy)


def _may_be_older(ledger: Ledger, count: Result, cause: str, hold: Hold | None) -> bool:
    """Whether a recovered count may have been taken before the low one, of which no more than the day is known."""
    episode = ledger.neutropenia if cause == "anc" else ledger.thrombocytopenia
    low = hold.newest if hold is not None else episode.newest if episode is not None else None
    return low is not None and low.latest is not None and count.at <= low.latest


def _is_released(hold: Hold, count: Result, rules: tuple[CountHoldRule, ...], policy: Policy) -> bool:
    own = next(rule for rule in rules if (rule.rule, rule.reason) == (hold.rule, hold.reason))
    return not count.is_doubtful and own.releases(count, hold, policy.terms)


def _first_that_opens(
    rules: tuple[CountHoldRule, ...], count: Result, moment: Moment, policy: Policy
) -> CountHoldRule | None:
    """A rule that the policy switches off holds nothing: a hold that no alert speaks of would be a trap."""
    return next((r for r in rules if policy.severity(r.rule, r.reason) and r.opens(count, moment, policy.terms)), None)


def _advance_episode(ledger: Ledger, count: Result, cause: str, is_low: bool) -> None:
    name = "neutropenia" if cause == "anc" else "thrombocytopenia"
    episode: Episode | None = getattr(ledger, name)
    if is_low and episode is None:
        number = getattr(ledger, f"{name}_count") + 1
        setattr(ledger, f"{name}_count", number)
        setattr(ledger, name, Episode(cause, number, count, count, count))
        ledger.complication_at = count.at
    elif is_low and episode is not None:
        nadir = count if _value(count) < _value(episode.nadir) else episode.nadir
        setattr(ledger, name, replace(episode, nadir=nadir, newest=count))
        ledger.complication_at = count.at
    elif episode is not None and not count.is_doubtful:
        closed = PastEpisode(cause, episode.number, episode.opened, count.at)
        ledger.past_episodes = (*ledger.past_episodes, closed)[-_KEPT_PAST:]
        setattr(ledger, name, None)


def _known_to_open(count: Result, decided: CountHoldRule, moment: Moment, policy: Policy) -> datetime:
    """Since when a count was known that opens the hold: a correction from one low value to another changes nothing."""
    known = count.known
    for since, value in reversed(count.earlier):
        if not decided.opens(replace(count, value=value), moment, policy.terms):
            break
        known = since
    return known


def _open_hold(
    ledger: Ledger, count: Result, cause: str, decided: CountHoldRule, moment: Moment, policy: Policy
) -> None:
    hold = Hold(
        cause=cause,
        rule=decided.rule,
        reason=decided.reason,
        episode=moment.episode,
        opened=count,
        decided=count,
        newest=count,
        worst=count,
        known=_known_to_open(count, decided, moment, policy),
        cycle=moment.cycle or None,
        dose=ledger.dose,
        is_provisional=count.is_doubtful,
    )
    _add_hold(ledger, hold)


def _add_hold(ledger: Ledger, hold: Hold) -> None:
    """Open a hold, and look back at dispenses of that day whose hour is not known: they may have come after it."""
    ledger.holds = (*ledger.holds, hold)
    ledger.resumed = None
    met = tuple(
        HeldDispense(supply, hold.cause, hold.opened, is_hold_known_at(hold, supply.last))
        for supply in ledger.supplies
        if supply.medicine == LENALIDOMIDE and supply.way == "dispensed" and supply.at <= hold.opened.at <= supply.last
        if supply.latest is not None and all(held.supply.id != supply.id for held in ledger.held_dispenses)
    )
    ledger.held_dispenses = (*ledger.held_dispenses, *met)


def _keep_holding(
    ledger: Ledger,
    hold: Hold,
    count: Result,
    decided: CountHoldRule | None,
    rules: tuple[CountHoldRule, ...],
    policy: Policy,
) -> None:
    """The hold stays: note the newest and worst count, persistence, and a more severe rule taking over."""
    worst = count if _value(count) < _value(hold.worst) else hold.worst
    # A count in doubt may show that it got worse, never that it got better.
    newest = hold.newest if count.is_doubtful and _value(count) > _value(hold.newest) else count
    held = replace(hold, newest=newest, worst=worst, is_provisional=hold.is_provisional and count.is_doubtful)
    late_enough = days_between(hold.opened.at, count.at, ledger.zone) >= policy.terms.anc_persistent_after_days.whole
    is_low = count.is_below(policy.terms.anc_episode_below.value)
    reading = policy.terms.anc_persistent_reading
    if hold.cause == "anc" and hold.persistent is None and late_enough and is_low and reading != "none":
        held = replace(held, persistent=count)
    if decided is not None:
        ranks = [(other.rule, other.reason) for other in rules]
        if rules.index(decided) < ranks.index((hold.rule, hold.reason)):
            held = replace(held, rule=decided.rule, reason=decided.reason, decided=count)
    ledger.holds = tuple(held if other.cause == hold.cause else other for other in ledger.holds)
    is_first = held.persistent is count and not count.is_doubtful
    if is_first and reading == "resume-lower" and (decided is None or decided.reason != "severe"):
        # The other reading of the panel: after a failed week treatment goes on one step lower, although still low.
        _release(ledger, held, count)


def _release(ledger: Ledger, hold: Hold, count: Result) -> None:
    """Close a hold; one that became known only after its release never stood and is merely recorded."""
    closed = replace(hold, newest=count, released=count)
    ledger.holds = tuple(other for other in ledger.holds if other.cause != hold.cause)
    if not ledger.holds:
        # The drug is clear only when every cause is: what was dispensed meanwhile is no longer held.
        stops = {stop.rule for stop in open_stops(ledger, count.at)}
        ledger.held_dispenses = tuple(held for held in ledger.held_dispenses if held.cause in stops)
        ledger.cleared_at = count.at
    if hold.known > count.known:
        ledger.late = (*ledger.late, closed)[-_KEPT_LATE:]
        return
    ledger.complication_at = count.at
    # The first is kept in any case: it knows the dose before all of them.
    ledger.released = (*ledger.released[:1], *(*ledger.released[1:], closed)[-_KEPT_RELEASED:])


def _take_temperature(ledger: Ledger, reading: Result, policy: Policy) -> None:
    is_fever = reading.is_below(policy.terms.fever_sustained_at.value) is False
    fever = ledger.fever
    if is_fever and (fever is None or (fever.below is not None and not _fn_hold(ledger))):
        ledger.fever = Fever(reading, reading, reading)
    elif is_fever and fever is not None:
        peak = reading if _value(reading) > _value(fever.peak) else fever.peak
        ledger.fever = replace(fever, peak=peak, last=reading, below=None)
    elif fever is not None and fever.below is None:
        ledger.fever = replace(fever, below=reading)


def _fn_hold(ledger: Ledger) -> Hold | None:
    return next((hold for hold in ledger.holds if hold.cause == "fever"), None)


def _judge_fever(ledger: Ledger, policy: Policy, hold_rules: HoldRules) -> None:
    fever, anc = ledger.fever, ledger.newest.get("anc")
    rule, hold = hold_rules.fever, _fn_hold(ledger)
    if fever is None or ledger.started_at is None or (ledger.ended_at is not None and hold is None):
        return
    if hold is None:
        reason = rule.opens(fever, anc, policy.terms) if fever.below is None else None
        if reason is None or policy.severity(rule.rule, reason) is None:
            return
        ledger.fever_count += 1
        deciding = fever.last if anc is None or fever.last.at >= anc.at else anc
        known = max(fever.last.known, anc.known) if anc is not None else fever.last.known
        _add_hold(
            ledger,
            Hold(
                cause="fever",
                rule=rule.rule,
                reason=reason,
                episode=ledger.fever_count,
                opened=fever.first,
                decided=deciding,
                newest=deciding,
                worst=fever.peak,
                known=known,
                cycle=ledger.cycles[-1].number if ledger.cycles else None,
                dose=ledger.dose,
            ),
        )
        ledger.complication_at = fever.last.at
        return
    reading = ledger.newest["temperature"]
    if rule.releases(fever, reading, anc, policy.terms):
        _release(ledger, hold, max((r for r in (reading, anc) if r is not None), key=lambda result: result.at))
        ledger.fever = None
