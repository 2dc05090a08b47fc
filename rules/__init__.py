"""The medicine: pure, typed, without clock, file, socket, log or framework.

One door leads in: `rules.watch.step(record, entry, ...)`. Inside, `picture` keeps the facts of
a patient by clinical time, `course` derives what they mean for treatment, the family folders
hold one rule a module, `alerting` turns findings into transitions.
"""
