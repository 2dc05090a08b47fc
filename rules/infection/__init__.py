"""Antibacterial prophylaxis in the first cycles."""
