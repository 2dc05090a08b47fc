"""The items of IMPEDE VTE: drug, body mass, fracture, ESA, dexamethasone, chemotherapy, race, VTE, catheter, agents."""

from __future__ import annotations

from decimal import Decimal

from rules.picture import AnyKept
from rules.policy.terms import Number
from rules.thrombosis.agents import LMWH, THERAPEUTIC, VKA, aspirin_spans, is_therapeutic, present
from rules.thrombosis.esa import esa_run
from rules.thrombosis.factors import body_mass
from rules.thrombosis.scores import (
    Item,
    Score,
    catheters,
    chemotherapy,
    dexamethasone,
    existing_run,
    is_of_race,
    item,
    vte_before_myeloma,
)
from rules.view import View

FRACTURE = "pelvic-hip-femur-fracture"


def impede(view: View) -> Score:
    """IMPEDE VTE as an interval."""
    terms, body, broken = view.policy.terms, body_mass(view), view.active(FRACTURE)
    is_heavy = body[0] >= terms.impede_bmi_at.value if body is not None else None
    mass = body[1] if body is not None else ()
    run, (drugs, _), placed = esa_run(view), chemotherapy(view), catheters(view)
    is_asian, who = is_of_race(view, with_pacific=True)
    is_before, clots = vte_before_myeloma(view)

    def by_dose(mg: Decimal | None) -> tuple[int, tuple[Number, ...]]:
        limit = terms.vte_score_dex_high_mg
        points = terms.impede_dex_high if mg is None or mg > limit.value else terms.impede_dex_low
        return points.whole if mg is None or mg > 0 else 0, (points, limit)

    return Score(
        (
            *item("immunomodulatory drug", terms.impede_imid, True),
            *item(
                "body mass",
                terms.impede_bmi,
                is_heavy,
                mass,
                missing="weight and height",
                limits=(terms.impede_bmi_at,),
            ),
            *item(
                "fracture of pelvis, hip or femur",
                terms.impede_fracture,
                broken is not None,
                (broken,) if broken else (),
            ),
            *item("ESA", terms.impede_esa, run is not None, (run.newest,) if run else ()),
            dexamethasone(view, by_dose),
            *item("chemotherapy", terms.impede_chemotherapy, bool(drugs), drugs, limits=(terms.vte_score_chemo_days,)),
            *item("Asian or Pacific Islander", terms.impede_race, is_asian, who, is_race=True),
            *item(
                "VTE before myeloma",
                terms.impede_vte,
                is_before,
                clots,
                missing="whether the VTE was before the myeloma",
            ),
            *item("central venous catheter", terms.impede_catheter, bool(placed), placed),
            *_existing(view),
        )
    )


def _existing(view: View) -> tuple[Item, ...]:
    """What protected before this decision and still does; the score knows LMWH, warfarin and aspirin."""
    terms, started = view.policy.terms, view.ledger.started_at
    full, low = terms.impede_therapeutic, terms.impede_prophylactic
    stated, first = view.statement(THERAPEUTIC), view.stated_since(THERAPEUTIC)
    is_older = first is not None and started is not None and first.at < started
    if is_older and stated is not None and view.says_yes(THERAPEUTIC):
        return item("existing therapeutic anticoagulation", full, True, (stated,))
    agent = existing_run(view, LMWH, VKA)
    if agent is not None:
        is_full = is_therapeutic(agent, terms)
        name = f"existing {agent.medicine}"
        if is_full is None:
            points = (full.whole, low.whole)
            return (Item(name, min(points), max(points), (full, low), (agent,), f"dose of {agent.medicine}"),)
        return item(name, full if is_full else low, True, (agent,))
    return _lesser(view, low, full)


def _lesser(view: View, low: Number, full: Number) -> tuple[Item, ...]:
    """Aspirin; else what the score does not name, or what was only ordered, which may count or not."""
    pills = present(aspirin_spans(view), view.at)
    begun: AnyKept | None = existing_run(view, "aspirin") if pills is not None else None
    if begun is not None:
        return item("existing aspirin", low, True, (begun,))
    other = existing_run(view, "anticoagulant")
    if other is not None:
        return item(
            f"existing {other.medicine}", full, None, (other,), missing=f"how the score counts {other.medicine}"
        )
    ordered = existing_run(view, "antithrombotic", with_orders=True)
    if ordered is not None and ordered.way == "ordered":
        return item(
            f"{ordered.medicine} ordered", low, None, (ordered,), missing=f"whether {ordered.medicine} is taken"
        )
    return ()
