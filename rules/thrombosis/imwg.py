"""IMWG 2008: individual factors are counted; fewer than the limit ask for aspirin, as many or more for LMWH.

High-dose dexamethasone, doxorubicin and chemotherapy with several agents ask for LMWH by themselves. Factors of the
myeloma (new diagnosis, hyperviscosity) do not apply to a relapse, or nobody records them.
"""

from __future__ import annotations

from dataclasses import dataclass

from rules.picture import AnyKept
from rules.thrombosis.risk import decide_tier, is_assessed_by_person
from rules.thrombosis.scores import catheters, chemotherapy, surgery_within
from rules.view import View

_COUNTED = {
    "recent VTE": "VTE", "earlier VTE": "VTE", "immobilisation": "immobilisation", "age": "age",
    "heart failure": "cardiac disease", "arterial thromboembolism": "cardiac disease", "infection": "infection",
    "renal disease": "renal disease", "thrombophilia": "thrombophilia", "body mass index": "obesity",
    "obesity": "obesity", "erythropoiesis-stimulating agent": "ESA",
}  # fmt: skip
"""Factors of Table 3 that the longer list of IMWG has too, under its names."""
_MAY_ADD = {"mobility or ECOG", "birth date", "weight and height"}
DIABETES = "diabetes"


@dataclass(frozen=True, slots=True)
class Imwg:
    """The number of factors, at least and at most, and whether the therapy alone asks for LMWH."""

    names: tuple[str, ...]
    missing: tuple[str, ...]
    is_by_therapy: bool | None
    limit: int

    @property
    def classes(self) -> frozenset[str]:
        """What it may ask for."""
        least, most = len(self.names), len(self.names) + len(self.missing)
        if self.is_by_therapy or least >= self.limit:
            return frozenset(("anticoagulant",))
        may_rise = most >= self.limit or self.is_by_therapy is None
        return frozenset(("aspirin", "anticoagulant")) if may_rise else frozenset(("aspirin",))

    @property
    def shown(self) -> str:
        """For people."""
        least, most = len(self.names), len(self.names) + len(self.missing)
        count = f"{least}" if least == most else f"{least} to {most}"
        named = f" ({', '.join(self.names)})" if self.names else ""
        therapy = ", and the therapy asks for LMWH by itself" if self.is_by_therapy else ""
        return f"IMWG 2008: {count} factor(s){named}{therapy}: {' or '.join(sorted(self.classes))}"


def imwg(view: View) -> Imwg:
    """The factors that hold now; what was never recorded may add one each."""
    terms, tier = view.policy.terms, decide_tier(view)
    names = {_COUNTED[factor.what] for factor in tier.factors if factor.what in _COUNTED}
    further: tuple[tuple[str, AnyKept | tuple[AnyKept, ...] | None], ...] = (
        ("central venous catheter", catheters(view)),
        ("surgery", surgery_within(view, terms.saved_surgery_days)[0]),
        ("diabetes", view.active(DIABETES)),
    )
    names |= {name for name, fact in further if fact}
    unknown = () if is_assessed_by_person(view) else tier.unknown
    is_high = any(factor.what.startswith("high-dose dexamethasone") for factor in tier.factors)
    is_sure = is_high or bool(chemotherapy(view)[0])
    is_open = "dexamethasone dose" in unknown
    return Imwg(
        names=tuple(sorted(names)),
        missing=tuple(what for what in unknown if what in _MAY_ADD),
        is_by_therapy=True if is_sure else None if is_open else False,
        limit=terms.imwg_lmwh_at.whole,
    )
