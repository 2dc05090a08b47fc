"""Infection: prophylaxis in the first cycles, vaccines, hepatitis B, pneumonia."""
