"""``rotators.handlers.api_key.handler``: rotates keys of every described provider, by the one that the secret names."""

from __future__ import annotations

from rotators.engines.api_key import Catalogue
from rotators.key_rotator import KeyRotator

handler = KeyRotator(Catalogue())
