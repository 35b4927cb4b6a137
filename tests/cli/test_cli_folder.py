"""Verbs that work in a folder of this machine do not take an address for one."""

from __future__ import annotations

import pytest
from click import BadParameter

from fgbench.cli._folder import LocalFolder


@pytest.mark.parametrize("verb", [["features"], ["baseline", "run", "jrl"]])
def test_an_address_is_refused_and_nothing_made(calling, verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *more = verb
    code, _, said = calling(name)(*more, "--out", "s3://me:s3cret@bucket/features")
    assert code == 2
    assert "is an address" in said
    assert "s3cret" not in said
    assert [*tmp_path.iterdir()] == []


def test_a_path_is_a_path_by_either_name(tmp_path):
    take = LocalFolder().convert
    assert take(str(tmp_path), None, None) == take(f"file://{tmp_path}", None, None) == tmp_path
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BadParameter, match="is a file"):
        take(str(tmp_path / "file"), None, None)
