"""Tokens and sessions: who has one comes in, and nobody else; only digests are stored."""

from __future__ import annotations

import hashlib

import pytest
from click.testing import CliRunner

from fgbench.cli._leaderboard_token import token as token_command
from fgbench.errors import InputError
from fgbench.leaderboard.serve.ledger import Ledger
from fgbench.leaderboard.serve.settings import SESSION
from fgbench.leaderboard.serve.states import Role
from fgbench.leaderboard.serve.tokens import digest, key_of, make_token, matches


@pytest.fixture
def times():
    return [1000.0]


@pytest.fixture
def ledger(tmp_path, times):
    opened = Ledger.open(f"sqlite:///{tmp_path}/board.sqlite", clock=lambda: times[0])
    yield opened
    opened.close()


def stored(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_a_token_names_its_team_and_nothing_near_it_does(ledger):
    tokens = {name: ledger.add_team(name) for name in ("ada", "bo")}
    for name, token in tokens.items():
        assert ledger.identify(token).name == name
    ada, bo = tokens.values()
    mixed = f"{ada[:20]}{bo[20:]}"
    last = "A" if ada[-2] != "A" else "B"
    for wrong in (
        mixed, ada[:-1], ada + "A", ada[:-2] + last + ada[-1], ada.upper(), f" {ada}", f"{ada}\n",
        "", "fgb_", make_token()[0], "fgb_" + "0" * 16 + "_" + "A" * 43, "\udc80", "x" * 100_000,
    ):  # fmt: skip
        assert ledger.identify(wrong) is None, wrong


def test_tokens_are_long_and_never_the_same():
    made = [make_token() for _ in range(200)]
    assert len({token for token, _ in made}) == len({key for _, key in made}) == 200
    assert all(key_of(token) == key for token, key in made)
    assert all(len(token.split("_", 2)[2]) == 43 for token, _ in made)  # 256 bits in base 64


def test_a_digest_is_sha256_and_no_digest_is_matched_by_nothing():
    assert digest("fgb_x") == hashlib.sha256(b"fgb_x").hexdigest()
    assert matches("fgb_x", hashlib.sha256(b"fgb_x").hexdigest())
    assert not matches("fgb_x", hashlib.sha256(b"fgb_y").hexdigest())
    assert not matches("fgb_x", None)


def test_no_secret_is_on_the_disk_or_in_the_log(ledger, tmp_path):
    token = ledger.add_team("ada")
    secret = ledger.start_session(ledger.identify(token))
    again = ledger.replace_token("ada")
    bytes_there = stored(tmp_path)
    for held in (token, again, secret):
        assert held[-20:].encode() not in bytes_there
        assert held not in str(ledger.audit())
    assert digest(again).encode() in bytes_there


def test_replaced_and_removed_tokens_end_and_so_do_their_sessions(ledger):
    first = ledger.add_team("ada")
    ada = ledger.identify(first)
    secret = ledger.start_session(ada)
    second = ledger.replace_token("ada")
    assert ledger.identify(first) is None
    assert ledger.identify(second) == ada
    assert ledger.find_session(secret) is None
    secret = ledger.start_session(ada)
    ledger.remove_token("ada")
    assert ledger.identify(second) is None
    assert ledger.find_session(secret) is None
    assert ledger.teams() == [(ada, False)]
    assert ledger.identify(ledger.replace_token("ada")) == ada


def test_a_session_lasts_its_time_and_no_longer(ledger, times):
    ada = ledger.identify(ledger.add_team("ada"))
    secret = ledger.start_session(ada)
    times[0] += SESSION - 1
    assert ledger.find_session(secret) == ada
    assert ledger.find_session(secret + "A") is None
    times[0] += 1
    assert ledger.find_session(secret) is None


def test_signing_out_ends_one_session_and_too_many_end_the_oldest(ledger, times):
    ada, bo = (ledger.identify(ledger.add_team(name)) for name in ("ada", "bo"))
    other = ledger.start_session(bo)
    secrets = []
    for _ in range(12):
        times[0] += 1
        secrets.append(ledger.start_session(ada))
    assert [s for s in secrets if ledger.find_session(s)] == secrets[2:]
    ledger.end_session(secrets[5])
    assert [s for s in secrets if ledger.find_session(s)] == [*secrets[2:5], *secrets[6:]]
    assert ledger.find_session(other) == bo


@pytest.mark.parametrize(
    "name",
    ["", "Ada", "a b", "-a", "a-", "a" * 41, "аda", "<b>", "../a", "console", "server", "a\n"],
)
def test_names_that_could_be_taken_for_others_are_refused(ledger, name):
    with pytest.raises(InputError) as refused:
        ledger.add_team(name)
    assert refused.value.code == "FG-H105"
    assert ledger.teams() == []


def test_a_team_is_made_once_and_only_a_team_is_changed(ledger):
    token = ledger.add_team("ada")
    for call in (ledger.add_team, lambda name: ledger.replace_token(name + "x")):
        with pytest.raises(InputError):
            call("ada")
    assert ledger.identify(token).role is Role.TEAM


def run(*arguments):
    return CliRunner().invoke(token_command, [*map(str, arguments)])


def test_the_command_makes_replaces_removes_and_lists(tmp_path):
    data = tmp_path / "data"
    made = run("--data", data, "ada")
    admin = run("--data", data, "host", "--admin")
    assert made.exit_code == admin.exit_code == 0
    assert data.stat().st_mode & 0o777 == 0o700
    ledger = Ledger.open(f"sqlite:///{data}/board.sqlite")
    assert ledger.identify(made.stdout.strip()).role is Role.TEAM
    assert ledger.identify(admin.stdout.strip()).role is Role.ADMIN
    again = run("--data", data, "ada", "--replace")
    assert ledger.identify(again.stdout.strip()).name == "ada"
    assert run("--data", data, "ada", "--remove").stdout == ""
    listed = run("--data", data, "--list").stdout
    assert [line.split() for line in listed.splitlines()] == [
        ["team", "role", "token"], ["ada", "team", "none"], ["host", "admin", "yes"]
    ]  # fmt: skip
    ledger.close()


@pytest.mark.parametrize(
    "arguments", [[], ["ada", "--list"], ["ada", "--admin", "--replace"], ["ada", "bo"]]
)
def test_the_command_refuses_what_makes_no_sense(tmp_path, arguments):
    assert run("--data", tmp_path / "data", *arguments).exit_code == 2
    assert not (tmp_path / "data").exists()
