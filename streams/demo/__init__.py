"""`myelowatch demo`: the whole product on this machine, with a ward of synthetic patients.

Question this room answers: what does it look like when it works? A real Kafka, the real topics, the real
worker as a process of its own; the simulator sends weeks of a ward in a minute; every alert is shown with
its evidence as it comes off the notification topic. At the end both reconciliation equations are printed
from real counts, and the exit code is 1 if they do not balance.
"""

from streams.demo.performance import run_demo

__all__ = ["run_demo"]
