"""
``EngineContract``: the proof any engine must pass, one test a law or a fact. Inherit it, say what the engine can, give it a
target, run pytest.

::

    class TestMariaDB(EngineContract):
        engine = MySQL()
        keeps_two_passwords = ("admin",)
        alternates = True

        @pytest.fixture
        def target(self, mariadb):
            return MariaDBTarget(mariadb)

It asks the engine alone, without Secrets Manager: for the rotator around it there is ``RotatorContract``. What the target
says of itself, and how much each of its methods proves, is in ``rotators.testing.Target``.
"""

from __future__ import annotations

from typing import Any

from rotators.testing.answers_contract import Answers
from rotators.testing.change_contract import Changes
from rotators.testing.pair_contract import Alternating
from rotators.testing.pair_rights_contract import PairRights
from rotators.testing.traffic_contract import Traffic
from rotators.testing.two_passwords_contract import TwoPasswords
from rotators.testing.values_contract import Values


class EngineContract(Alternating, PairRights, TwoPasswords, Traffic, Changes, Values, Answers):
    """
    Every test of an engine; ``target`` is a fixture of the subclass.

    Attributes that a subclass sets: ``engine``, ``authorities``, ``keeps_two_passwords``, ``alternates``; where its secrets have
    other keys, ``malformed`` and ``elsewhere``; where its users have other names, ``names``, ``longest_name`` and ``passwords``.

    The tests of an ability that is not declared are not collected; one that the engine has all the same is an error.
    """

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for declared, part in (
            (cls.keeps_two_passwords, TwoPasswords),
            (cls.alternates, Alternating),
            (cls.alternates, PairRights),
        ):
            for name in [name for name in vars(part) if name.startswith("test_")]:
                if declared and getattr(cls, name) is None:
                    setattr(cls, name, vars(part)[name])
                elif not declared:
                    setattr(cls, name, None)
