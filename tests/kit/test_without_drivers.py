"""What `rotators new` writes is proven where no driver is installed: its requirements bring none."""

from __future__ import annotations

import subprocess
import sys

PROOF = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        drivers = {"psycopg", "pymysql", "redis", "httpx"}
        return None if name.partition(".")[0] in drivers else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]

from rotators.testing.faults import Faults
from rotators.testing.points import points

with Faults().installed():
    print(*sorted({point.module for point in points()}))
"""


def test_calls_are_counted_where_no_driver_is_installed() -> None:
    ran = subprocess.run([sys.executable, "-c", PROOF], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == [
        "botocore.client",
        "http.client",
        "socket",
        "ssl",
        "urllib3.connectionpool",
    ]
