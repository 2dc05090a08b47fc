"""Harm outside the blood: skin, liver, nerves, thyroid, second cancers, medicines that must not meet."""
