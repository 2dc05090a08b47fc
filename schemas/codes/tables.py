"""Typed, frozen look-ups over the YAML tables; loaded once, on first use."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import yaml

from schemas.codes.icd10 import beginnings_of, expand_beginnings, read_icd10
from schemas.codes.site_maps import LocalCode, SiteMap
from schemas.codes.units import Conversion, UnitTable, build_unit_table
from schemas.values import Coding

FILES: Final = ("systems", "analytes", "medicines", "conditions", "statements")


@dataclass(frozen=True, slots=True, eq=False)
class Analyte:
    """What is measured: its canonical unit, the units it may come in, and what is plausible.

    There is one object an analyte, compared and hashed by identity.
    """

    id: str
    title: str
    kind: Literal["numeric", "coded"]
    canonical_unit: str | None
    units: UnitTable | None
    plausible_low: Decimal | None
    plausible_high: Decimal | None
    smallest_non_zero: Decimal | None
    breach_below: Decimal | None
    is_unitless: bool
    has_clumps: bool
    answer_words: Mapping[str, str]
    """Lower-case whole texts to `positive`, `negative`, `indeterminate`."""
    answer_codes: Mapping[tuple[str, str], str]
    score_codes: Mapping[tuple[str, str], Decimal]
    """Answer codes that stand for a number (ECOG)."""


class AnalyteCode(NamedTuple):
    """One code of an analyte; an estimate decides nothing."""

    analyte: Analyte
    is_estimate: bool


class MedicineMatch(NamedTuple):
    """The medicine a set of codes names, and the strength of one unit where the code says it."""

    medicine: str
    strength_mg: Decimal | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes it belongs to, as facts carry them: rules know classes, not tables."""
        return tuple(sorted(classes_of(self.medicine)))


@dataclass(frozen=True, slots=True)
class StatementCode:
    """One code of the project's own CodeSystem."""

    code: str
    title: str
    value: Literal["time", "code", "number", "none"]
    allowed: frozenset[str]
    unit: str | None
    meaning: str


@dataclass(frozen=True, slots=True)
class _Together:
    concept: str
    beginnings: tuple[frozenset[str], ...]


class CodeTables:
    """Every table, indexed for look-up by (system, code). Build it from the texts of the YAML files."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Read and index the tables; a fault in them is a fault of ours and raises."""
        parsed = {name: _load(texts[name]) for name in FILES}
        self._local: Mapping[tuple[str, str], LocalCode] = MappingProxyType({})
        self._read_systems(parsed["systems"])
        self._read_analytes(parsed["analytes"])
        self._read_medicines(parsed["medicines"])
        self._read_conditions(parsed["conditions"])
        self._read_statements(parsed["statements"])

    # --- codes of a site

    def with_site_maps(self, maps: Iterable[SiteMap]) -> CodeTables:
        """The same tables, which know the local codes of these maps as well; `ValueError` where two maps disagree."""
        known = copy.copy(self)
        systems, uris, local = dict(self._system), dict(self._uri), dict(self._local)
        for place, site in enumerate(maps):
            # Two maps may call different systems by the same short id.
            own = {key: f"{key}/{place}" for key in site.uris}
            for name, key in site.systems.items():
                _add(systems, name, own[key])
            uris.update({own[key]: uri for key, uri in site.uris.items()})
            local.update({(own[key], code): meaning for (key, code), meaning in site.codes.items()})
        known._system, known._uri, known._local = systems, uris, MappingProxyType(local)
        return known

    def local_code(self, system: str, code: str, *meanings: str) -> LocalCode | None:
        """What a site map says of a code, where it is one of these meanings (any, where none is named)."""
        found = self._local.get((self._system.get(system, ""), code)) if self._local else None
        return found if found is not None and (not meanings or found.meaning in meanings) else None

    def _local_names(self, codings: Iterable[Coding], meaning: str) -> set[str]:
        if not self._local:
            return set()
        found = (self.local_code(coding.system, coding.code, meaning) for coding in codings)
        return {each.name for each in found if each is not None}

    # --- systems

    def _read_systems(self, table: dict[str, Any]) -> None:
        self._system: dict[str, str] = {}
        self._uri: dict[str, str] = {}
        for entry in table["systems"]:
            read_as = entry.get("reads_as", entry["id"])
            self._uri[entry["id"]] = entry["uri"]
            for name in (entry["uri"], *entry.get("also", ()), *entry.get("hl7v2", ())):
                self._system[name] = read_as
        self._other_meaning = frozenset(entry["uri"] for entry in table["other_meaning"])

    def system_of(self, name: str) -> str | None:
        """Our id of a code system (`loinc`, `rxnorm`, ...) under any name it goes by, or None."""
        return self._system.get(name)

    def uri_of(self, name: str) -> str:
        """The system's URI under any name it goes by; an unknown name stays as it is."""
        system = self._system.get(name)
        return self._uri[system] if system is not None else name

    # --- analytes

    def _read_analytes(self, table: dict[str, Any]) -> None:
        unit_tables = {name: build_unit_table(spec) for name, spec in table["unit_tables"].items()}
        interpretation = tuple(table["interpretation_systems"])
        self.clump_pattern: re.Pattern[str] = re.compile(
            "|".join(re.escape(word) for word in table["clump_words"]["words"]), re.IGNORECASE
        )
        self._panels = frozenset(str(panel["code"]) for panel in table["panels"])
        self.analytes: Mapping[str, Analyte] = {}
        analytes: dict[str, Analyte] = {}
        codes: dict[str, AnalyteCode] = {}
        for spec in table["analytes"]:
            units = unit_tables[spec["units"]] if "units" in spec else None
            plausible = spec.get("plausible", {})
            words, answer_codes = self._read_answers(table["answers"], spec.get("answers", ()), interpretation)
            entry = Analyte(
                id=spec["id"],
                title=spec["title"],
                kind=spec["kind"],
                canonical_unit=units.canonical if units is not None else None,
                units=units,
                plausible_low=_decimal(plausible.get("low")),
                plausible_high=_decimal(plausible.get("high")),
                smallest_non_zero=_decimal(spec.get("smallest_non_zero", {}).get("value")),
                breach_below=_decimal(spec.get("breach_below", {}).get("value")),
                is_unitless=spec.get("unitless", False),
                has_clumps=spec.get("clumps", False),
                answer_words=words,
                answer_codes=answer_codes,
                score_codes={
                    ("loinc", score["code"]): Decimal(score["value"]) for score in spec.get("score_codes", ())
                },
            )
            analytes[entry.id] = entry
            for code in spec["codes"]:
                if codes.setdefault(code["code"], AnalyteCode(entry, code.get("estimate", False))).analyte != entry:
                    raise ValueError(f"{code['code']} stands under two analytes")
        self.analytes = MappingProxyType(analytes)
        self._analyte_codes = codes

    def _read_answers(
        self, groups: dict[str, Any], wanted: Iterable[str], interpretation: tuple[str, ...]
    ) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
        words: dict[str, str] = {}
        codes: dict[tuple[str, str], str] = {}
        for group in wanted:
            for answer, spec in groups[group].items():
                words.update({word.casefold(): answer for word in spec["words"]})
                for code in spec["codes"]:
                    systems = interpretation if code["system"] == "interpretation" else (code["system"],)
                    codes.update({(system, code["code"]): answer for system in systems})
        return words, codes

    def analyte_of(self, system: str, code: str) -> AnalyteCode | None:
        """The analyte a code names. The bare code is never enough: its system must be LOINC."""
        if self._system.get(system) == "loinc":
            return self._analyte_codes.get(code)
        local = self.local_code(system, code, "analyte")
        return AnalyteCode(self.analytes[local.name], False) if local is not None else None

    def loinc_codes_of(self, analyte_id: str) -> tuple[str, ...]:
        """The LOINC codes of an analyte, in the order of the table."""
        return tuple(code for code, match in self._analyte_codes.items() if match.analyte.id == analyte_id)

    def analyte_among(self, codings: Iterable[Coding]) -> tuple[AnalyteCode | None, bool]:
        """The analyte the codings of one result name; True where they name different ones: then none is chosen."""
        found: AnalyteCode | None = None
        for coding in codings:
            match = self.analyte_of(coding.system, coding.code)
            if match is None:
                continue
            if found is None or (match.is_estimate and match.analyte is found.analyte):
                found = match
            elif match.analyte is not found.analyte:
                return None, True
        return found, False

    def is_panel(self, system: str, code: str) -> bool:
        """Whether the code names a panel: its members are values, it is not."""
        if self._system.get(system) == "loinc":
            return code in self._panels
        return self.local_code(system, code, "panel") is not None

    def looks_like_analyte(self, system: str, code: str) -> bool:
        """One of our LOINC codes under a system that is not LOINC: a doubt, not a result."""
        return code in self._analyte_codes and system not in self._system and system not in self._other_meaning

    def resembled_analyte(self, codings: Iterable[Coding]) -> Analyte | None:
        """The analyte that one of the codes would name under LOINC: what the doubt about its system is about."""
        alike = (each for each in codings if self.looks_like_analyte(each.system, each.code))
        return next((self._analyte_codes[each.code].analyte for each in alike), None)

    def answer_of(self, entry: Analyte, system: str, code: str) -> str | None:
        """The coded answer of a non-numeric analyte, in our words."""
        local = self.local_code(system, code, "answer")
        if local is not None:
            return local.name
        found = entry.answer_codes.get((self._system.get(system, system), code))
        return found if found is not None else entry.answer_codes.get((system, code))

    def score_of(self, entry: Analyte, system: str, code: str) -> Decimal | None:
        """The number an answer code stands for."""
        return entry.score_codes.get((self._system.get(system, system), code))

    # --- medicines

    def _read_medicines(self, table: dict[str, Any]) -> None:
        self.medicine_titles: Mapping[str, str] = MappingProxyType(
            {spec["id"]: spec["title"] for spec in table["medicines"]}
        )
        self._rxnorm: dict[str, MedicineMatch] = {}
        self._atc: dict[str, str] = {}
        self._atc_under: dict[str, str] = {}
        self._together_rxnorm: list[tuple[frozenset[str], str]] = []
        for spec in table["medicines"]:
            name = spec["id"]
            for code in spec.get("rxnorm", ()):
                _add(self._rxnorm, code["code"], MedicineMatch(name))
            for product in spec.get("products", ()):
                _add(self._rxnorm, product["rxnorm"], MedicineMatch(name, Decimal(product["strength_mg"])))
            for code in spec.get("atc", ()):
                _add(self._atc, code["code"], name)
            for code in spec.get("atc_under", ()):
                _add(self._atc_under, code["code"], name)
            for group in spec.get("together", ()):
                self._together_rxnorm.append((frozenset(group["rxnorm"]), name))
        self._atc_exceptions = frozenset(entry["code"] for entry in table["atc_exceptions"])
        self._read_classes(table["classes"])
        local = table["local_use"]
        self._local_atc = tuple(entry["code"] for entry in local["atc_under"])
        routes: set[tuple[str, str]] = set()
        for entry in local["routes"]:
            systems = local["route_systems"] if entry["system"] == "route" else (entry["system"],)
            routes.update((system, entry["code"]) for system in systems)
        self._local_routes = frozenset(routes)
        self._allergies = {(entry["system"], entry["code"]): entry["substance"] for entry in table["allergies"]}
        self._cvx: dict[str, str] = {}
        self._vaccine_atc: dict[str, str] = {}
        live: set[str] = set()
        for spec in table["vaccines"]:
            for code in spec.get("cvx", ()):
                _add(self._cvx, code["code"].zfill(2), spec["id"])
            for code in spec.get("atc", ()):
                _add(self._vaccine_atc, code["code"], spec["id"])
            if spec.get("is_live", False):
                live.add(spec["id"])
        self.live_vaccines = frozenset(live)
        self.vaccines = frozenset(spec["id"] for spec in table["vaccines"])
        self.substances = frozenset((*self._allergies.values(), *self.medicine_titles, *self._members))

    def _read_classes(self, table: dict[str, Any]) -> None:
        def members(name: str) -> frozenset[str]:
            spec = table[name]
            own = frozenset(spec.get("members", ()))
            unknown = own - self.medicine_titles.keys()
            if unknown:
                raise ValueError(f"class {name} names unknown medicines {sorted(unknown)}")
            return own.union(*(members(part) for part in spec.get("contains", ())))

        self._members = {name: members(name) for name in table}
        self._classes = {
            medicine: frozenset(name for name, inside in self._members.items() if medicine in inside)
            for medicine in self.medicine_titles
        }

    @property
    def medicine_classes(self) -> Mapping[str, frozenset[str]]:
        """Class id to the ids of its medicines."""
        return MappingProxyType(self._members)

    def classes_of(self, medicine: str | None) -> frozenset[str]:
        """The classes a medicine belongs to; none for a medicine we do not know."""
        return self._classes.get(medicine, frozenset()) if medicine is not None else frozenset()

    def medicine_of(self, codings: Iterable[Coding]) -> MedicineMatch | None:
        """The medicine that the codes of one item name together: a product first, then an ingredient."""
        rxnorm: set[str] = set()
        ingredient: MedicineMatch | None = None
        group: str | None = None
        for coding in codings:
            system = self._system.get(coding.system)
            if system == "rxnorm":
                match = self._rxnorm.get(coding.code)
                if match is not None and match.strength_mg is not None:
                    return match
                ingredient = ingredient or match
                rxnorm.add(coding.code)
            elif system == "atc":
                code = coding.code.strip().upper()
                if code in self._atc:
                    ingredient = ingredient or MedicineMatch(self._atc[code])
                else:
                    group = group or self._atc_group(code)
            elif system == "own" and coding.code in self.medicine_titles:
                ingredient = ingredient or MedicineMatch(coding.code)
            elif (local := self.local_code(coding.system, coding.code, "medicine")) is not None:
                if local.strength_mg is not None:
                    return MedicineMatch(local.name, local.strength_mg)
                ingredient = ingredient or MedicineMatch(local.name)
        combined = self._combination(rxnorm)
        if combined is not None:
            return combined
        if ingredient is not None:
            return ingredient
        return MedicineMatch(group) if group is not None else None

    def combination_of(self, codings: Iterable[Coding]) -> MedicineMatch | None:
        """The medicine that several ingredients of one product are together, only where the table says so."""
        return self._combination({coding.code for coding in codings if self._system.get(coding.system) == "rxnorm"})

    def _combination(self, rxnorm: set[str]) -> MedicineMatch | None:
        for parts, name in self._together_rxnorm:
            if parts <= rxnorm:
                return MedicineMatch(name)
        return None

    def _atc_group(self, code: str) -> str | None:
        if code in self._atc_exceptions:
            return None
        for length in range(len(code), 3, -1):
            if code[:length] in self._atc_under:
                return self._atc_under[code[:length]]
        return None

    def is_local_use(self, codings: Iterable[Coding]) -> bool:
        """Whether any code says eye drops, cream, spray: such a medicine never counts as taken."""
        return any(
            self._system.get(coding.system) == "atc" and coding.code.strip().upper().startswith(self._local_atc)
            for coding in codings
        )

    def is_local_route(self, codings: Iterable[Coding]) -> bool:
        """Whether the route is a local one."""
        return any(
            (self._system.get(coding.system, coding.system), coding.code) in self._local_routes
            or (coding.system, coding.code) in self._local_routes
            for coding in codings
        )

    def substances_of(self, codings: Iterable[Coding]) -> tuple[str, ...]:
        """What an allergy record names: medicine and class ids; `none-known` for a statement of no allergy."""
        known = tuple(codings)
        found = {
            substance
            for coding in known
            if (substance := self._allergies.get((self._system.get(coding.system, ""), coding.code))) is not None
        }
        match = self.medicine_of(known)
        if match is not None:
            found.add(match.medicine)
        return tuple(sorted(found | self._local_names(known, "substance")))

    def vaccines_of(self, codings: Iterable[Coding]) -> tuple[str, ...]:
        """The vaccines a record names."""
        codings = tuple(codings)
        found: set[str] = self._local_names(codings, "vaccine")
        for coding in codings:
            system = self._system.get(coding.system)
            if (system == "cvx" and (vaccine := self._cvx.get(coding.code.strip().zfill(2))) is not None) or (
                system == "atc" and (vaccine := self._vaccine_atc.get(coding.code.strip().upper())) is not None
            ):
                found.add(vaccine)
        return tuple(sorted(found))

    # --- conditions and procedures

    def _read_conditions(self, table: dict[str, Any]) -> None:
        self.concept_titles: Mapping[str, str] = MappingProxyType(
            {spec["id"]: spec["title"] for spec in table["conditions"]}
        )
        self.procedure_titles: Mapping[str, str] = MappingProxyType(
            {spec["id"]: spec["title"] for spec in table["procedures"]}
        )
        parents: dict[str, tuple[str, ...]] = {spec["id"]: tuple(spec.get("is_a", ())) for spec in table["conditions"]}
        self._closure = {name: _with_parents(name, parents) for name in parents}
        self._history = frozenset(spec["id"] for spec in table["conditions"] if spec.get("is_history", False))
        self._snomed: dict[str, list[str]] = {}
        self._icd: dict[str, dict[str, list[str]]] = {"icd-10": {}, "icd-10-cm": {}}
        self._together: dict[str, list[_Together]] = {"icd-10": [], "icd-10-cm": []}
        for spec in table["conditions"]:
            for code in spec.get("snomed", ()):
                self._snomed.setdefault(code["code"], []).append(spec["id"])
            who = spec.get("icd10", ())
            for system, written in (("icd-10", who), ("icd-10-cm", spec.get("icd10_cm", who))):
                for beginning in expand_beginnings(written):
                    self._icd[system].setdefault(beginning, []).append(spec["id"])
            for group in spec.get("together", ()):
                for system, key in (("icd-10", "icd10"), ("icd-10-cm", "icd10_cm")):
                    self._together[system].append(
                        _Together(spec["id"], tuple(frozenset(expand_beginnings([text])) for text in group[key]))
                    )
        self._procedure_codes: dict[tuple[str, str], str] = {}
        for spec in table["procedures"]:
            for system, key in (("snomed", "snomed"), ("loinc", "loinc"), ("icd-10-pcs", "icd10_pcs")):
                for code in spec.get(key, ()):
                    _add(self._procedure_codes, (system, code["code"]), spec["id"])

    def concepts_of(self, codings: Iterable[Coding]) -> tuple[str, ...]:
        """Every condition the codes of one record fall under, with all parents."""
        codings = tuple(codings)
        found: set[str] = self._local_names(codings, "condition")
        seen: dict[str, set[str]] = {"icd-10": set(), "icd-10-cm": set()}
        for coding in codings:
            system = self._system.get(coding.system)
            if system == "snomed":
                found.update(self._snomed.get(coding.code, ()))
            elif system == "icd-10" or system == "icd-10-cm":
                plain = read_icd10(coding.code)
                if plain is None:
                    continue
                index = self._icd[system]
                for beginning in beginnings_of(plain):
                    seen[system].add(beginning)
                    found.update(index.get(beginning, ()))
            elif system == "own" and coding.code in self.concept_titles:
                found.add(coding.code)
        for system, beginnings in seen.items():
            if beginnings:
                found.update(
                    group.concept
                    for group in self._together[system]
                    if all(options & beginnings for options in group.beginnings)
                )
        return tuple(sorted(frozenset().union(*(self._closure[name] for name in found)))) if found else ()

    def is_history(self, concepts: Iterable[str]) -> bool:
        """Whether any of the concepts says "it was, it is not now"."""
        return any(concept in self._history for concept in concepts)

    def procedures_of(self, codings: Iterable[Coding]) -> tuple[str, ...]:
        """The procedures a record names."""
        codings = tuple(codings)
        found: set[str] = self._local_names(codings, "procedure")
        for coding in codings:
            system = self._system.get(coding.system, "")
            if system == "own" and coding.code in self.procedure_titles:
                found.add(coding.code)
            elif (name := self._procedure_codes.get((system, coding.code.strip()))) is not None:
                found.add(name)
        return tuple(sorted(found))

    def codes_of(self, kind: str, name: str) -> tuple[str, ...]:
        """The codes that mean a word, `system|code` each, and what stands under it; `*` for all that begin so."""
        if kind == "analyte":
            return tuple(f"loinc|{code}" for code in self.loinc_codes_of(name))
        if kind == "medicine":
            rxnorm = (
                f"rxnorm|{code}" + (f" ({match.strength_mg} mg)" if match.strength_mg is not None else "")
                for code, match in self._rxnorm.items()
                if match.medicine == name
            )
            atc = (f"atc|{code}" for code, medicine in self._atc.items() if medicine == name)
            under = (f"atc|{code}*" for code, medicine in self._atc_under.items() if medicine == name)
            return (*rxnorm, *atc, *under, *(f"in the class {each}" for each in sorted(self.classes_of(name))))
        if kind == "condition":
            snomed = (f"snomed|{code}" for code, concepts in self._snomed.items() if name in concepts)
            icd = (
                f"{system}|{beginning}*"
                for system, index in self._icd.items()
                for beginning, concepts in index.items()
                if name in concepts
            )
            below = sorted(each for each, parents in self._closure.items() if name in parents and each != name)
            return (*snomed, *icd, *(f"and all of {each}" for each in below))
        if kind == "procedure":
            return tuple(f"{system}|{code}" for (system, code), found in self._procedure_codes.items() if found == name)
        if kind == "vaccine":
            cvx = (f"cvx|{code}" for code, vaccine in self._cvx.items() if vaccine == name)
            return (*cvx, *(f"atc|{code}" for code, vaccine in self._vaccine_atc.items() if vaccine == name))
        if kind == "substance":
            return tuple(f"{system}|{code}" for (system, code), found in self._allergies.items() if found == name)
        return (f"{self._uri['own']}|{name}",)

    # --- statements

    def _read_statements(self, table: dict[str, Any]) -> None:
        self.statements: Mapping[str, StatementCode] = MappingProxyType(
            {
                spec["code"]: StatementCode(
                    code=spec["code"],
                    title=spec["title"],
                    value=spec["value"],
                    allowed=frozenset(spec.get("allowed", ())),
                    unit=spec.get("unit"),
                    meaning=spec["meaning"],
                )
                for spec in table["statements"]
            }
        )

    def statement_of(self, system: str, code: str) -> StatementCode | None:
        """The statement a code of our own system names."""
        if self._system.get(system) == "own":
            return self.statements.get(code)
        local = self.local_code(system, code, "statement")
        return self.statements[local.name] if local is not None else None


def _load(text: str) -> dict[str, Any]:
    # The C loader reads the tables some eight times faster; both are safe loaders and give the same values.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded = yaml.load(text, Loader=loader)  # noqa: S506
    if not isinstance(loaded, dict):
        raise TypeError("a table must be a mapping")
    return loaded


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


def _add(index: dict[Any, Any], key: Any, value: Any) -> None:
    if key in index and index[key] != value:
        raise ValueError(f"{key} stands in the tables twice, with different meanings")
    index[key] = value


def _with_parents(name: str, parents: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset({name}).union(*(_with_parents(parent, parents) for parent in parents[name]))


@lru_cache(maxsize=1)
def tables() -> CodeTables:
    """The project's own tables, read from the package once."""
    folder = resources.files("schemas.codes")
    return CodeTables({name: folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8") for name in FILES})


def analyte(name: str) -> Analyte:
    """The analyte with this id; `KeyError` where there is none."""
    return tables().analytes[name]


def classes_of(medicine: str | None) -> frozenset[str]:
    """The classes a medicine belongs to (`lmwh`, `anticoagulant`, ...)."""
    return tables().classes_of(medicine)


def class_members(name: str) -> frozenset[str]:
    """The medicines of a class; `KeyError` where there is none."""
    return tables().medicine_classes[name]


__all__ = [
    "Analyte",
    "AnalyteCode",
    "CodeTables",
    "Conversion",
    "MedicineMatch",
    "StatementCode",
    "analyte",
    "class_members",
    "classes_of",
    "tables",
]
