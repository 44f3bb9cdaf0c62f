"""
An IAM user's access key: issued by IAM, tested by STS.

Reading order: access_key, mark, room, rotator. It is a ``Rotator`` of its own, not an ``Engine``: a key is issued, not set.
"""

from __future__ import annotations

from rotators.engines.iam.rotator import AccessKeyRotator

__all__ = ["AccessKeyRotator"]
