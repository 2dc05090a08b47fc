"""The two ways in which the laptop broker says no; each carries one sentence for a person."""

from streams.refusals import CheckFailed, Refusal


class BrokerUnusableError(Refusal):
    """The broker cannot be used as things are set up, and a person can mend that."""


class BrokerFailedError(CheckFailed):
    """The set-up is sound, but the broker did not do what was asked of it."""
