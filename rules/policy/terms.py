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
class DoseBand:
    """One row of a table of starting doses by creatinine clearance (clinical reference, part 3.5).

    `at_least` is the lowest clearance of the band in mL/min; None is the row of people on dialysis. `raised_mg` is
    what the dose may go up to after some cycles, where the source allows that.
    """

    name: str
    at_least: Number | None
    dose_mg: Decimal
    schedule: str
    source: str
    raised_mg: Decimal | None = None
    raised_schedule: str | None = None

    @property
    def shown(self) -> str:
        """The dose for people."""
        return f"{self.dose_mg:f} mg {self.schedule.replace('-', ' ')}"


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
    anc_first_episode_holds: bool
    anc_watch_recheck_days: Number
    anc_persistent_after_days: Number
    anc_persistent_reading: str
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
    fever_anc_below: Number
    start_anc_below: Number
    start_plt_below: Number
    start_plt_below_infiltrated: Number
    start_low_anc_delays: bool
    marrow_heavy_percent: Number
    gate_anc_below: Number
    gate_plt_below: Number
    gate_plt_below_infiltrated: Number
    # monitoring
    cbc_early_cycles: Number
    cbc_interval_early_days: Number
    cbc_interval_late_days: Number
    cbc_interval_intensive_days: Number
    cbc_grace_days: Number
    cbc_grace_intensive_days: Number
    cbc_weekly_cycles: Number
    cbc_interval_weekly_days: Number
    cbc_grace_weekly_days: Number
    cbc_high_after_days: Number
    cbc_intensive_clcr_below: Number
    complication_grade_at: Number
    lft_interval_days: Number
    lft_interval_early_days: Number
    lft_early_cycles: Number
    tsh_interval_days: Number
    spm_review_months: Number
    digoxin_interval_days: Number
    cbc_closer_at_risk: bool
    # thrombosis
    vte_recent_months: Number
    vte_recent_inclusive: bool
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
    vte_tier2_aspirin: bool
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
    apixaban_prophylaxis_mg: Number
    rivaroxaban_prophylaxis_mg: Number
    fondaparinux_prophylaxis_mg: Number
    vte_same_event_days: Number
    vte_treatment_months: Number
    vte_duration_shown_days: Number
    vte_calf_recheck_days: Number
    vte_calf_repeat_from_days: Number
    vte_severe_grade_at: Number
    vte_svt_days: Number
    vte_lysis_systolic_below: Number
    vte_lysis_shown_days: Number
    lysis_stroke_months: Number
    lysis_trauma_days: Number
    lysis_platelets: Number
    ivcf_recent_days: Number
    ivcf_red_cell_units: Number
    ivcf_bleed_hours: Number
    vte_lmwh_preferred: bool
    vte_agent_shown_days: Number
    vte_symptom_study_days: Number
    vte_symptom_shown_days: Number
    bleed_recent_days: Number
    ddi_inr_from_days: Number
    ddi_inr_until_days: Number
    dup_leftover_days: Number
    enox_renal_clcr_at: Number
    enox_renal_mg: Number
    esa_hb_above: Number
    esa_estrogen_shown_days: Number
    # scores of thrombosis
    vte_score_race: bool
    vte_score_dex_standard_mg: Number
    vte_score_dex_high_mg: Number
    vte_score_chemo_days: Number
    impede_imid: Number
    impede_bmi_at: Number
    impede_bmi: Number
    impede_fracture: Number
    impede_esa: Number
    impede_dex_high: Number
    impede_dex_low: Number
    impede_chemotherapy: Number
    impede_race: Number
    impede_vte: Number
    impede_catheter: Number
    impede_therapeutic: Number
    impede_prophylactic: Number
    impede_intermediate_at: Number
    impede_high_at: Number
    saved_surgery: Number
    saved_surgery_days: Number
    saved_race: Number
    saved_vte: Number
    saved_age_at: Number
    saved_age: Number
    saved_dex_standard: Number
    saved_dex_high: Number
    saved_high_at: Number
    imwg_lmwh_at: Number
    # infection
    inf_ppx_cycles: Number
    inf_ppx_wait_days: Number
    inf_ppx_for_all: bool
    inf_ppx_end_cycles: Number
    inf_recent_days: Number
    inf_pneumonia_shown_days: Number
    inf_flu_season_from_month: Number
    inf_flu_season_to_month: Number
    inf_flu_counts_before_days: Number
    inf_live_vaccine_shown_days: Number
    aci_drug_days: Number
    aci_wait_days: Number
    hbv_wait_days: Number
    levo_days: Number
    pjp_dex_mg: Number
    # dosing
    len_max_daily_mg: Number
    len_dosing_days: Number
    len_elderly_age_at: Number
    dose_step_second_hold_raises: bool
    dex_low_mg: Number
    dex_high_phase_mg: Number
    dex_high_phase_cycles: Number
    dex_day_mg: Number
    dex_middle_age_at: Number
    dex_elderly_over_years: Number
    dex_elderly_from_birthday: bool
    dex_elderly_day_mg: Number
    dex_elderly_mg: Number
    dex_tox_active_days: Number
    dex_step_days: Number
    dex_step_1_weeks: Number
    dex_step_2_weeks: Number
    dex_step_3_mg: Number
    dex_stopped_after_days: Number
    reescalate_cycles: Number
    reescalate_anc_at: Number
    reescalate_plt_at: Number
    frail_over_years: Number
    frail_len_mg_1: Number
    frail_dex_mg_1: Number
    frail_len_mg_2: Number
    frail_dex_mg_2: Number
    missed_dose_late_hours: Number
    missed_dose_shown_hours: Number
    # indication
    ind_min_prior_lines: Number
    kr_reimb_bortezomib_first: bool
    ind_short_remission_months: Number
    ind_long_remission_months: Number
    ind_stop_shown_days: Number
    sct_collect_cycles: Number
    # renal
    renal_dose_table: str
    renal_border_is_reduced: bool
    renal_equation: str
    renal_severe_below: Number
    renal_impaired_below: Number
    renal_cuts_normal_percent: Number
    renal_cuts_moderate_percent: Number
    renal_cuts_severe_percent: Number
    renal_dialysis_session_days: Number
    renal_confirm_days: Number
    renal_improve_days: Number
    renal_raise_after_cycles: Number
    renal_raise_needs_nonresponse: bool
    # pregnancy
    ppp_medical_exemptions: bool
    ppp_menopause_months: Number
    ppp_menopause_age_at: Number
    ppp_age_ends_potential: bool
    ppp_assumed_menopausal_at: Number
    ppp_two_methods: bool
    ppp_lead_days: Number
    ppp_tail_days: Number
    ppp_start_two_tests: bool
    ppp_first_test_earliest_days: Number
    ppp_first_test_latest_days: Number
    ppp_second_test_hours: Number
    ppp_single_test_days: Number
    ppp_test_weekly_until_days: Number
    ppp_test_weekly_days: Number
    ppp_test_regular_days: Number
    ppp_test_irregular_days: Number
    ppp_test_grace_days: Number
    ppp_end_test_from_days: Number
    ppp_end_test_within_days: Number
    ppp_dispense_from: str
    ppp_dispense_days: Number
    ppp_authorisation_days: Number
    ppp_supply_days: Number
    ppp_supply_others_days: Number
    ppp_early_fill: bool
    ppp_early_fill_days: Number
    ppp_hcg_negative_below: Number
    ppp_hcg_positive_above: Number
    ppp_repeat_from_hours: Number
    ppp_repeat_to_hours: Number
    ppp_pregnancy_code_days: Number
    ppp_male_contraception_tail_days: Number
    ppp_male_tail_days: Number
    ppp_donation_tail_days: Number
    ppp_donation_shown_days: Number
    # toxicity
    ae_severe_grade_at: Number
    ae_shown_days: Number
    rash_hold_grade_at: Number
    rash_stop_grade_at: Number
    hep_enzyme_times_uln: Number
    hep_bilirubin_times_uln: Number
    hep_hys_bilirubin_times_uln: Number
    hep_alt_uln_assumed: Number
    hep_ast_uln_assumed: Number
    hep_bilirubin_uln_assumed: Number
    tsh_high_above: Number
    tls_urate_at: Number
    tls_potassium_at: Number
    tls_phosphate_at: Number
    tls_calcium_at: Number
    tls_change_percent: Number
    tls_findings_at: Number
    tls_days_before: Number
    tls_days_after: Number
    pd1_covers_days: Number
    statin_ck_times_uln: Number
    tmpsmx_potassium_above: Number
    tmpsmx_creatinine_rise_percent: Number
    tmpsmx_stable_percent: Number
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
    dose_bands: Mapping[str, tuple[DoseBand, ...]]
    grading: Grading | None = None
    """CTCAE tables for annotation; None where nothing is annotated."""
    resolved_from: str = ""
    """Profile and version this one lists only its differences from; empty where it stands alone."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The source of each key, of flags and choices too."""
    speaking: frozenset[str] = field(init=False, compare=False, repr=False)
    """Rules that can say anything here; one that cannot is not told as unassessable either."""

    def __post_init__(self) -> None:
        speaking = (name for name, rule in self.rules.items() if self._lets_speak(rule) and any(rule.severity.values()))
        object.__setattr__(self, "speaking", frozenset(speaking))

    def severity(self, rule: str, reason: str | None = None) -> Severity | None:
        """Severity of a rule in this profile; None where it is off, or its own status lets it say nothing yet."""
        found = self.rules.get(rule)
        return found.severity_of(reason) if found is not None and self._lets_speak(found) else None

    def _lets_speak(self, rule: RuleTerms) -> bool:
        """A rule on trial speaks where the whole policy is on trial, and so to nobody who is paged."""
        return rule.status == "active" or rule.status == self.status == "shadow"

    @property
    def ladder(self) -> tuple[Decimal, ...]:
        """Lenalidomide doses in mg, highest first (clinical reference, part 3.6)."""
        return self.ladders[self.terms.dose_ladder]

    @property
    def dose_table(self) -> tuple[DoseBand, ...]:
        """Starting doses by creatinine clearance, the highest clearance first, dialysis last."""
        return self.dose_bands[self.terms.renal_dose_table]
