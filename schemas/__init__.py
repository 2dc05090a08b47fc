"""The words: what happened, what we say about it, and the hospital's dialects.

Imports nothing else of ours. `values` are the small frozen types, `events` the facts
of a patient's history, `codes` the tables that give codes and units a meaning,
`fhir` the dialect reader (bytes to facts), `alerts` and `rejection` what we say.
"""
