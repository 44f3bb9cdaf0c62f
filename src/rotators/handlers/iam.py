"""``rotators.handlers.iam.handler``: rotates access keys of IAM users."""

from __future__ import annotations

from rotators.engines.iam import AccessKeyRotator

handler = AccessKeyRotator()
