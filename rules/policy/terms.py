"""What a policy is made of: typed terms with the unit and source of each number.

The names are here so that a misspelt key fails the type check. What each means, its unit and its
clinical bounds stand in `keys.yaml`; the numbers stand in the profiles. No number is in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from rules.grading import Grading
from schemas.alerts import Citation, Severity, Threshold

_SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}


@dataclass(frozen=True, slots=True)
class Number:
    """A clinical number: exact value, unit, and the source it stands on."""

    key: str
    value: Decimal
    unit: str
    source: str

    span: timedelta = field(init=False, compare=False, repr=False)
    """The number as a duration; zero for units that are not time."""
    whole: int = field(init=False, compare=False, repr=False)
    """The number as an integer (months, cycles, years, points)."""

    def __post_init__(self) -> None:
        seconds = int(self.value * _SECONDS.get(self.unit, 0))
        object.__setattr__(self, "span", timedelta(seconds=seconds))
        object.__setattr__(self, "whole", int(self.value))

    @property
    def threshold(self) -> Threshold:
        """As shown inside an alert."""
        return Threshold(key=self.key, value=f"{self.value:f}", unit=self.unit)

    def __str__(self) -> str:
        return f"{self.value:,f}" if self.unit == "cells/uL" else f"{self.value:f}"


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """What a profile says of one rule: severity by reason (`*` for any), status, citations."""

    rule: str
    severity: Mapping[str, Severity | None]
    status: str
    citations: tuple[Citation, ...]

    def severity_of(self, reason: str | None) -> Severity | None:
        """The severity for a reason; None where the profile switches it off."""
        if reason is not None and reason in self.severity:
            return self.severity[reason]
        return self.severity.get("*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Every key of the policy, in the order of `keys.yaml`."""

    # treatment
    cycle_length_days: Number
    cycle_infer_after_days: Number
    cycle_plan_match_days: Number
    pre_cycle_window_days: Number
    baseline_window_days: Number
    coverage_grace_days: Number
    order_open_days: Number
    administration_covers_days: Number
    course_end_after_days: Number
    dose_ladder: str
    ctcae_version: str
    # haematology
    anc_episode_below: Number
    anc_severe: Number
    anc_severe_inclusive: bool
    anc_cycle_start_below: Number
    anc_resume_at: Number
    anc_resume_strict_later: bool
    anc_watch_recheck_days: Number
    anc_persistent_after_days: Number
    anc_delay_days: Number
    anc_gcsf_wait_hours: Number
    plt_episode_below: Number
    plt_hold_below: Number
    plt_resume_at: Number
    plt_resume_warn_below: Number
    plt_support_below: Number
    plt_support_bleeding_below: Number
    plt_support_wait_hours: Number
    hold_recheck_days: Number
    hold_recheck_grace_days: Number
    late_result_shown_days: Number
    hb_low_below: Number
    fever_single_above: Number
    fever_sustained_at: Number
    fever_sustained_hours: Number
    fever_unknown_anc_at: Number
    fever_unknown_anc_hours: Number
    fever_over_hours: Number
    start_anc_below: Number
    start_plt_below: Number
    start_plt_below_infiltrated: Number
    marrow_heavy_percent: Number
    # monitoring
    cbc_early_cycles: Number
    cbc_interval_early_days: Number
    cbc_interval_late_days: Number
    cbc_interval_intensive_days: Number
    cbc_grace_days: Number
    cbc_grace_intensive_days: Number
    cbc_high_after_days: Number
    cbc_intensive_clcr_below: Number
    complication_grade_at: Number
    # thrombosis
    vte_recent_months: Number
    vte_age_at: Number
    vte_ecog_at: Number
    vte_immobile_ecog: Number
    vte_bed_rest_days: Number
    vte_bmi_at: Number
    vte_infection_active_days: Number
    vte_renal_clcr_below: Number
    vte_esa_covers_days: Number
    vte_tier1_cycles: Number
    vte_tier1_from_factor: bool
    vte_lmwh_platelets: Number
    vte_aspirin_platelets: Number
    vte_lmwh_clcr: Number
    vte_change_shown_days: Number
    vte_assessment_window_days: Number
    table3_literal: bool
    vte_tier3_aspirin: bool
    dex_high_mg: Number
    dex_window_days: Number
    aspirin_mg: Number
    aspirin_prophylaxis_max_mg: Number
    enoxaparin_mg: Number
    dalteparin_iu: Number
    inr_low: Number
    inr_high: Number
    inr_max_age_days: Number
    inr_critical_above: Number
    # infection
    inf_ppx_cycles: Number
    inf_ppx_wait_days: Number
    inf_ppx_end_cycles: Number
    inf_recent_days: Number
    # data quality
    dq_conflict_percent: Number
    dq_anc_over_wbc: Number
    dq_scale_factor: Number
    dq_scale_unit_factor: Number
    dq_scale_unit_percent: Number
    # keeping
    future_tolerance_minutes: Number
    keep_unenrolled_days: Number
    keep_history_days: Number
    keep_head_days: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One frozen policy: what judges every patient until the next activation."""

    profile: str
    version: str
    status: str
    effective_from: str
    approved_by: str
    hash: str
    text: str
    terms: Terms
    rules: Mapping[str, RuleTerms]
    ladders: Mapping[str, tuple[Decimal, ...]]
    grading: Grading | None = None
    """CTCAE tables for annotation; None where nothing is annotated."""

    def severity(self, rule: str, reason: str | None = None) -> Severity | None:
        """Severity of a rule in this profile; None where it is off."""
        found = self.rules.get(rule)
        return found.severity_of(reason) if found else None

    @property
    def ladder(self) -> tuple[Decimal, ...]:
        """Lenalidomide doses in mg, highest first (clinical reference, part 3.6)."""
        return self.ladders[self.terms.dose_ladder]
