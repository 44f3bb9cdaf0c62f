"""Which certificates are trusted. Connections are verify-full: the chain and the host's name, or none at all."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from rotators.errors import ConfigurationError

VARIABLE = "ROTATORS_CA_BUNDLE"
#: The name of a bundle laid beside the function's code.
BUNDLED = "ca-bundle.pem"
#: Where systems keep theirs: Amazon Linux, Debian, Alpine and macOS.
SYSTEM = (
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/cert.pem",
)


def ca_bundle() -> str:
    """
    Return the file of certificates to trust: ``ROTATORS_CA_BUNDLE``, else one in the function, else the system's.

    Raises:
        ConfigurationError: the named file can't be read or holds no certificate, or there is none at all.

    Example:
        >>> ca_bundle()
        '/etc/ssl/certs/ca-certificates.crt'
    """
    named = os.environ.get(VARIABLE)
    if named:
        return _checked(Path(named))
    beside = Path(os.environ.get("LAMBDA_TASK_ROOT") or ".") / BUNDLED
    if os.environ.get("LAMBDA_TASK_ROOT") and beside.is_file():
        return _checked(beside)
    for candidate in (ssl.get_default_verify_paths().cafile, *SYSTEM):
        if candidate and Path(candidate).is_file():
            return candidate
    raise ConfigurationError(f"no CA certificates found: set {VARIABLE} to a PEM file with the database's CA")


def _checked(path: Path) -> str:
    text = ""
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        problem = error.strerror or type(error).__name__
    else:
        problem = "it holds no certificate in PEM form"
    if "-----BEGIN CERTIFICATE-----" not in text and "-----BEGIN TRUSTED CERTIFICATE-----" not in text:
        raise ConfigurationError(f"the CA bundle {path} can't be used ({problem}): set {VARIABLE} to a PEM file")
    return str(path)
