"""
Keys of services that a short TOML file describes: no code for each.

`Catalogue` finds the description, `reading` reads and checks it, `Provider` and `SelfMade` speak to the service, for
`rotators.KeyRotator`. The descriptions that come with the package are in ``rotators/providers``; docs/api-keys.md has the format.
"""

from __future__ import annotations

from rotators.engines.api_key.catalogue import Catalogue, described
from rotators.engines.api_key.provider import Promoting, Provider
from rotators.engines.api_key.self_made import SelfMade

__all__ = ["Catalogue", "Promoting", "Provider", "SelfMade", "described"]
