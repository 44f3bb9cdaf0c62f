"""Which certificates are trusted: the variable's, else the function's own, else the system's."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from rotators import ConfigurationError
from rotators.lab.certificates import Authority
from rotators.tls import ca_bundle


def test_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (Authority(tmp_path / name).bundle for name in ("one", "two"))
    task = tmp_path / "task"
    task.mkdir()
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(task))
    system = ca_bundle()
    assert "BEGIN CERTIFICATE" in Path(system).read_text()
    (task / "ca-bundle.pem").write_text(one.read_text())
    assert ca_bundle() == str(task / "ca-bundle.pem")
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(two))
    assert ca_bundle() == str(two)
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", "")
    assert ca_bundle() == str(task / "ca-bundle.pem")


def test_windows_line_ends_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "crlf.pem"
    bundle.write_bytes(Authority(tmp_path / "ca").bundle.read_bytes().replace(b"\n", b"\r\n"))
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(bundle))
    assert ca_bundle() == str(bundle)


def test_a_system_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rotators.tls.SYSTEM", ())
    monkeypatch.setattr("ssl.get_default_verify_paths", partial(SimpleNamespace, cafile=None))
    with pytest.raises(ConfigurationError, match="set ROTATORS_CA_BUNDLE"):
        ca_bundle()
