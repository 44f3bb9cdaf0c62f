"""``SelfMade``: a described service that is told its key. See `rotators.abc.Accepts`."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from rotators.engines.api_key.provider import Described

if TYPE_CHECKING:
    from rotators.secret import Secret


class SelfMade(Described):
    """
    A service that accepts the key that we send it: a webhook's signing secret, an HMAC key.

    Whether it accepts the old one too is what `push` sends: it may name ``{current.…}`` beside ``{secret.…}``.
    """

    def fresh(self, like: Secret, *, drawn: str) -> Secret:
        """Return `like` with a new key, of the form that the description says."""
        draw = self.document.draw
        size = draw.size
        made = {
            "hex": lambda: secrets.token_hex(size),
            "base64": lambda: base64.b64encode(secrets.token_bytes(size)).decode(),
            "base64url": lambda: secrets.token_urlsafe(size),
        }.get(draw.form, lambda: drawn)()
        return like.replace(**{self.document.key: draw.prefix + made})

    def accept(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """Send it."""
        talk = self._with(by, like)
        talk.learn("secret", secret)
        talk.learn("current", like)
        talk.ask("push")
