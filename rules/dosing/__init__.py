"""Dispenses and doses around a hold."""
