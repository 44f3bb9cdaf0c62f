"""
``RotatorContract``: the proof any rotator must pass, one test a law. Inherit it, give it a subject, run pytest.

::

    class TestRelay(RotatorContract):
        @pytest.fixture
        def subject(self, secret_store, relay):
            value = {"url": relay.url, "username": "app", "password": "first"}
            return RotatorSubject(secret_store, Relay, value, opens=relay.accepts)

It is opinionated: a credential is proven by dying at every external call of a rotation and being retried as Secrets
Manager retries, and after each death it asks what every labelled version opens.
"""

from __future__ import annotations

from rotators.testing.crash_contract import CrashContract
from rotators.testing.refusal_contract import RefusalContract
from rotators.testing.rotation_contract import RotationContract
from rotators.testing.subject import RotatorSubject, Subject
from rotators.testing.verbs import stored, together

__all__ = ["RotatorContract", "RotatorSubject", "Subject", "stored", "together"]


class RotatorContract(RotationContract, CrashContract, RefusalContract):
    """
    One test a law. ``subject`` is a fixture of the subclass, made anew for each test.

    Attributes:
        asking: the steps that ask the target. A provider's key is valid once it is issued, so there setSecret may not.
        gapless: whether AWSCURRENT must open after each call of a rotation. Not so where one user has one password.
        most_keys: how many keys the provider has room for; None where there is no limit to be kept.

    Example:
        >>> class TestRelay(RotatorContract):
        ...     @pytest.fixture
        ...     def subject(self, secret_store, relay):
        ...         return RotatorSubject(secret_store, Relay, relay.first, opens=relay.accepts)
    """
