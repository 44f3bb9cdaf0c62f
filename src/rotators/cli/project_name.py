"""The name of a project, in each of the forms that Python, SAM and a sentence want."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from dataclasses import dataclass

NAMES = "letters a to z, digits and hyphens, beginning with a letter, such as billing-api"
#: Lambda's names have 64 characters at most, and the stack's name and `-rotation` are one.
LONGEST = 40
#: Modules that the project, or what it imports, needs by these names.
TAKEN_MODULES = frozenset(
    {"aws_lambda_powertools", "boto3", "botocore", "conftest", "events", "function", "hypothesis", "jmespath", "local"}
    | {"pytest", "rotators", "test", "tests", "urllib3", "typing_extensions"}
)
#: Classes that the project's own files import or define.
TAKEN_CLASSES = frozenset(
    {"Any", "BaseHTTPRequestHandler", "ChangeRefused", "CredentialRejected", "Endpoint"}
    | {
        "Iterator",
        "Key",
        "KeyRotator",
        "Path",
        "Rotation",
        "Rotator",
        "RotatorContract",
        "RotatorSubject",
        "Secret",
        "SecretStore",
    }
    | {"SecretsManager", "Self", "StandIn", "Step", "TargetUnreachable", "ThreadingHTTPServer"}
)


class ProjectRefused(ValueError):
    """The project can't be written under this name, or there. Says why, and what to do."""


@dataclass(frozen=True, slots=True)
class ProjectName:
    """
    One name in its forms.

    Attributes:
        kebab: of the directory, the stack and the secret.
        module: of the Python module.
        cls: of the class.
        noun: in a sentence.

    Example:
        >>> ProjectName.of("BillingAPI")
        ProjectName(kebab='billing-api', module='billing_api', cls='BillingApi', noun='billing api')
    """

    kebab: str
    module: str
    cls: str
    noun: str

    @property
    def resource(self) -> str:
        """The function's logical id in the template."""
        return f"{self.cls}Rotation"

    @classmethod
    def of(cls, text: str) -> ProjectName:
        """
        Read what somebody typed: billing-api, billing_api, BillingApi and BillingAPI are the same.

        Raises:
            ProjectRefused: it makes no name; says why, and which would.
        """
        if not re.fullmatch(r"[A-Za-z]([A-Za-z0-9]|[-_](?=[A-Za-z0-9]))*", text):
            raise ProjectRefused(f"{text!r} is no name for a project: it takes {NAMES}")
        parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", text).replace("_", "-")
        words = parted.lower().split("-")
        kebab, module, name = "-".join(words), "_".join(words), "".join(word.capitalize() for word in words)
        if len(kebab) > LONGEST:
            raise ProjectRefused(
                f"a name of {len(kebab)} characters is too long for the function's: it takes {LONGEST} at most"
            )
        why = ""
        if keyword.iskeyword(module):
            why = "a word of Python itself"
        elif module in sys.stdlib_module_names or module in TAKEN_MODULES:
            why = f"the name of a module that would no longer be found beside {module}.py"
        elif name in TAKEN_CLASSES or hasattr(builtins, name):
            why = f"the name of a class, {name}, that the rotator's module needs"
        if why:
            raise ProjectRefused(f"{text!r} is {why}: say more, such as {kebab}-service")
        return cls(kebab, module, name, " ".join(words))
