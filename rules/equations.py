"""Published formulas. The year is in the name; each docstring holds a worked example."""

from __future__ import annotations

from decimal import Decimal, localcontext

# Coefficients of published equations are part of the equation, not policy (clinical reference, part 5).


def estimate_creatinine_clearance_cockcroft_gault_1976(
    age_years: int, weight_kg: Decimal, creatinine_mg_per_dl: Decimal, *, is_female: bool
) -> Decimal:
    """Creatinine clearance in mL/min, not indexed to body surface.

    (140 - age) x weight / (72 x creatinine), x 0.85 for a woman. A 68-year-old man of 60 kg with a
    creatinine of 1.2 has exactly 50 mL/min; a woman of 80 years, 45 kg and 0.9 has 35.4.
    """
    with localcontext() as context:
        context.prec = 28
        value = Decimal(140 - age_years) * weight_kg
        if is_female:
            value *= Decimal("0.85")
        return value / (Decimal(72) * creatinine_mg_per_dl)


def estimate_gfr_mdrd_2006(age_years: int, creatinine_mg_per_dl: Decimal, *, is_female: bool) -> Decimal:
    """GFR in mL/min/1.73 m2 by the four-variable IDMS-traceable MDRD equation, race term left out.

    175 x creatinine^-1.154 x age^-0.203, x 0.742 for a woman. A woman of 80 years with 0.9 has 60.2.
    """
    with localcontext() as context:
        context.prec = 28
        value = Decimal(175) * creatinine_mg_per_dl ** Decimal("-1.154") * Decimal(age_years) ** Decimal("-0.203")
        return value * Decimal("0.742") if is_female else value


def estimate_gfr_ckd_epi_2021(age_years: int, creatinine_mg_per_dl: Decimal, *, is_female: bool) -> Decimal:
    """GFR in mL/min/1.73 m2 by the race-free CKD-EPI creatinine equation.

    142 x min(Scr/k, 1)^a x max(Scr/k, 1)^-1.200 x 0.9938^age, x 1.012 for a woman; k 0.7 and a -0.241
    for a woman, 0.9 and -0.302 for a man. A woman of 80 years with 0.9 has 64.6.
    """
    kappa, alpha = (Decimal("0.7"), Decimal("-0.241")) if is_female else (Decimal("0.9"), Decimal("-0.302"))
    ratio = creatinine_mg_per_dl / kappa
    with localcontext() as context:
        context.prec = 28
        value = Decimal(142) * min(ratio, Decimal(1)) ** alpha * max(ratio, Decimal(1)) ** Decimal("-1.2")
        value *= Decimal("0.9938") ** age_years
        return value * Decimal("1.012") if is_female else value


def estimate_body_surface_mosteller_1987(height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Body surface in m2: sqrt(height x weight / 3600). 150 cm and 45 kg give 1.37."""
    return (height_cm * weight_kg / Decimal(3600)).sqrt()


def deindex_gfr(gfr_ml_per_min_per_173: Decimal, body_surface_m2: Decimal) -> Decimal:
    """GFR in mL/min from one indexed to 1.73 m2. 60.2 at 1.37 m2 gives 47.6."""
    return gfr_ml_per_min_per_173 * body_surface_m2 / Decimal("1.73")


def estimate_body_mass_index(height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Body mass index in kg/m2. 150 cm and 45 kg give exactly 20."""
    metres = height_cm / Decimal(100)
    return weight_kg / (metres * metres)


def correct_calcium_for_albumin_1973(calcium_mg_per_dl: Decimal, albumin_g_per_dl: Decimal) -> Decimal:
    """Calcium in mg/dL corrected for albumin: + 0.8 x (4.0 - albumin). 8.0 at 2.5 gives 9.2.

    Myeloma paraprotein can bind calcium: ionised calcium is to be preferred where there is one.
    """
    return calcium_mg_per_dl + Decimal("0.8") * (Decimal("4.0") - albumin_g_per_dl)
