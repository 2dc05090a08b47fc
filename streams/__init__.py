"""The plumbing: what carries bytes, facts and transitions between hospitals, Kafka and people.

An `if` about medicine is in the wrong room: that belongs to `rules`.
"""
