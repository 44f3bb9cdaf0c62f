"""Certificates for servers on this machine, from authorities that live as long as a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """A certificate authority of one's own, that nothing on the machine trusts by itself.

    >>> authority = Authority(tmp_path)
    >>> certificate, key = authority.issue("localhost", "127.0.0.1")
    >>> authority.bundle        # what a client is given to trust: ROTATORS_CA_BUNDLE
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._authority = trustme.CA()
        self._issued = 0
        self.bundle = directory / "ca.pem"
        self._authority.cert_pem.write_to_path(self.bundle)

    def issue(self, *names: str) -> tuple[Path, Path]:
        """A certificate for these host names and addresses: the paths of the chain and of its key (mode 600)."""
        self._issued += 1
        issued = self._authority.issue_cert(*names)
        certificate = self._directory / f"server-{self._issued}.pem"
        key = self._directory / f"server-{self._issued}.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        key.touch(mode=0o600)
        issued.private_key_pem.write_to_path(key)
        return certificate, key
