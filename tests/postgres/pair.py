"""A world of two roles that alternate, with the admin who makes it so."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from rotators import EngineRotator, SecretStore
from rotators.engines.postgres import Postgres as Engine
from rotators.machine import AWSCURRENT
from rotators.testing import rotate
from tests.world import World

if TYPE_CHECKING:
    from rotators.lab.postgres import Postgres
    from rotators.testing import SecretsManager

ADMIN = "admin-Canary-19c4"
ATTRIBUTES = (
    "rolcanlogin, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolsuper, rolconnlimit, "
    "coalesce(rolvaliduntil, 'infinity')::text"
)


class PairWorld(World):
    """
    A secret whose base role was made by hand; the clone is the rotation's business.

    `superuser`: the admin is one; else it has CREATEROLE and, where the version wants it, ADMIN OPTION on the base.
    `grants`: whether it gets that ADMIN OPTION.
    """

    def __init__(
        self,
        server: Postgres,
        service: SecretsManager,
        *,
        superuser: bool = False,
        grants: bool = True,
        admin_secret: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.admin = f"admin_{uuid.uuid4().hex[:8]}"
        right = "SUPERUSER" if superuser else "CREATEROLE"
        server.execute(f"CREATE ROLE {self.admin} LOGIN {right} PASSWORD '{ADMIN}'")
        value = {k: v for k, v in {**server.secret(self.admin, ADMIN), **(admin_secret or {})}.items() if v is not ...}
        name = f"admin/{uuid.uuid4().hex}"
        arn = service.client().create_secret(Name=name, SecretString=json.dumps(value))["ARN"]
        super().__init__(server, service, masterarn=arn, **more)
        self.clone = f"{self.username}_clone"
        self.newer = server.installation.major >= 16
        if grants and self.newer and not superuser:
            self.run("GRANT {base} TO {admin} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE")

    def run(self, *statements: str, dbname: str = "postgres") -> list[Any]:
        """Run SQL as superuser; {base}, {clone} and {admin} are the roles' names."""
        names = {
            name: sql.Identifier(role).as_string()
            for name, role in (("base", self.username), ("clone", self.clone), ("admin", self.admin))
        }
        return self.server.execute(*(s.format(**names) for s in statements), dbname=dbname)

    def rotated(self, times: int = 1) -> None:
        """Rotate; it must succeed, and AWSCURRENT open."""
        for _ in range(times):
            outcome = rotate(self.service, self.arn)
            assert outcome.succeeded, outcome.error
            assert self.opens()

    def began(self, *steps: str) -> str:
        """Begin a rotation by hand; returns the token."""
        token = self.pending()
        for step in ("createSecret", *steps):
            self.step(step, token)
        return token

    def new_sandbox(self) -> None:
        """What the function had in memory is gone."""
        self.store = SecretStore(self.service.client())
        self.handler = EngineRotator(Engine(), store=self.store)

    def session(self, label: str = AWSCURRENT, **more: Any) -> psycopg.Connection:
        """Log in as a client does, with the value of a label."""
        return self.logged_in(self.value(label), **more)

    def logged_in(self, value: dict[str, Any], **more: Any) -> psycopg.Connection:
        return psycopg.connect(
            **{
                "host": self.server.host,
                "port": self.server.port,
                "user": value["username"],
                "password": value["password"],
                "dbname": value["dbname"],
                "sslmode": "require" if self.server.tls else "disable",
                "connect_timeout": 5,
                "autocommit": True,
                **more,
            }
        )

    def opens(self, label: Any = AWSCURRENT) -> bool:
        """Log in by psycopg itself, with a label's value or one that is given, as the user it names."""
        try:
            self.logged_in(label if isinstance(label, dict) else self.value(label)).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            return False
        return True

    def asks(self, question: str, label: str = AWSCURRENT, **more: Any) -> Any:
        """Run a statement as a client and return the first value."""
        with self.session(label, **more) as connection:
            cursor = connection.execute(question.encode())
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]

    def can(self, name: str) -> dict[str, Any]:
        """What a role of the pair may do, by the catalogs; the other's and its own name left out. Not by our code."""
        quoted = sql.Literal(name).as_string()
        rows = self.execute(f"SELECT {ATTRIBUTES} FROM pg_roles WHERE rolname = {quoted}")
        settings = self.execute(
            "SELECT coalesce(datname, ''), unnest(setconfig) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole "
            f"LEFT JOIN pg_database d ON d.oid = setdatabase WHERE rolname = {quoted} ORDER BY 1, 2"
        )
        pair = sql.Literal([self.username, self.clone]).as_string()
        memberships = self.execute(
            f"SELECT g.rolname FROM pg_roles g JOIN pg_roles r ON r.rolname = {quoted} WHERE g.rolname <> ALL ({pair}) "
            "AND pg_has_role(r.oid, g.oid, 'MEMBER') ORDER BY 1"
        )
        return {
            "attributes": rows,
            "settings": [s for s in settings if not s[1].startswith("role=")],
            "memberships": memberships,
        }

    def state(self) -> list[Any]:
        """All that a rotation could change of the two roles."""
        pair = sql.Literal([self.username, self.clone]).as_string()
        return [
            self.execute(f"SELECT to_jsonb(a) FROM pg_authid a WHERE rolname = ANY ({pair}) ORDER BY rolname"),
            self.execute(
                "SELECT to_jsonb(m) FROM pg_auth_members m JOIN pg_roles r ON r.oid IN (member, roleid) "
                f"WHERE rolname = ANY ({pair}) ORDER BY 1"
            ),
            self.execute(
                f"SELECT to_jsonb(s) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole WHERE rolname = ANY ({pair}) ORDER BY 1"
            ),
        ]


def failed_logins(lines: list[str]) -> list[str]:
    return [line for line in lines if "FATAL" in line]
