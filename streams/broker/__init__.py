"""The laptop broker: a real Apache Kafka from pip alone, for the demo and for tests.

Question this room answers: how does a person who has Python and nothing else get a broker that behaves as the
hospital's will? It fetches the published jars once, checks each against the committed list of sums, and runs them
with a Java that came as a wheel. It knows nothing of topics, messages or medicine.

A hospital points its settings at its own cluster and never comes here.
"""

from streams.broker.laptop import BrokerReport, LaptopKafka, NodeReport
from streams.broker.refusals import BrokerFailedError, BrokerUnusableError

__all__ = ["BrokerFailedError", "BrokerReport", "BrokerUnusableError", "LaptopKafka", "NodeReport"]
