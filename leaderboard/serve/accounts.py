"""Who may come in: teams, their tokens, and the browsers that are signed in."""

from __future__ import annotations

import re

import sqlalchemy as sa

from .database import Database
from .errors import TeamRefused
from .settings import SESSION
from .states import Role, Team
from .tables import read_team, sessions, teams
from .tokens import digest, key_of, make_secret, make_token, matches

SESSIONS = 10
"""Browsers that a team can be signed in with; the oldest is signed out."""
CONSOLE = "console"
SERVER = "server"
_NAME = re.compile("[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class Accounts(Database):
    """The teams of a board. A token is shown once, and stored as its digest."""

    def add_team(self, name: str, role: Role = Role.TEAM) -> str:
        """Make a team and return its token."""
        if not _NAME.fullmatch(name) or name in (CONSOLE, SERVER):
            raise TeamRefused(
                f"{name[:60]!r} cannot be the name of a team",
                f"Use a-z, 0-9 and hyphens, at most 40; not {CONSOLE} or {SERVER}.",
            )
        token, key = make_token()
        with self._writing() as connection:
            if connection.execute(sa.select(teams.c.id).where(teams.c.name == name)).first():
                raise TeamRefused(
                    f"there is a team {name}", "Choose another name, or say --replace."
                )
            values = {"name": name, "role": role.value, "turn": 0}
            values |= {"key": key, "digest": digest(token)}
            connection.execute(teams.insert().values(values))
            self._note(connection, CONSOLE, "team added", "", f"{name}, {role}")
        return token

    def replace_token(self, name: str) -> str:
        """Give a team another token, and sign it out everywhere."""
        token, key = make_token()
        self._set_token(name, key, digest(token), "token replaced")
        return token

    def remove_token(self, name: str) -> None:
        """Take a team's token, and sign it out everywhere; its submissions stay."""
        self._set_token(name, None, None, "token removed")

    def _set_token(self, name: str, key: str | None, stored: str | None, action: str) -> None:
        with self._writing() as connection:
            found = connection.execute(sa.select(teams.c.id).where(teams.c.name == name)).first()
            if found is None:
                raise TeamRefused(f"there is no team {name[:60]!r}", "See --list.")
            change = teams.update().where(teams.c.id == found.id)
            connection.execute(change.values(key=key, digest=stored))
            connection.execute(sessions.delete().where(sessions.c.team == found.id))
            self._note(connection, CONSOLE, action, "", name)

    def teams(self) -> list[tuple[Team, bool]]:
        """All teams by name, each with whether it has a token."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(teams).order_by(teams.c.name)).mappings().all()
        return [(read_team(row), row["digest"] is not None) for row in rows]

    def identify(self, token: str) -> Team | None:
        """The team of a token. A wrong one costs the same as one that nobody has."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(teams).where(teams.c.key == (key_of(token) or "")))
            row = rows.mappings().first()
        right = matches(token, row["digest"] if row else None)
        return read_team(row) if row and right else None

    def start_session(self, team: Team) -> str:
        """Sign a browser in: the secret that it holds, for ``SESSION`` seconds."""
        secret, now = make_secret(), self._clock()
        own = sessions.c.team == team.id
        with self._writing() as connection:
            connection.execute(sessions.delete().where(sessions.c.expires <= now))
            values = {"digest": digest(secret), "team": team.id, "expires": now + SESSION}
            connection.execute(sessions.insert().values(values))
            newest = sa.select(sessions.c.digest).where(own)
            newest = newest.order_by(sessions.c.expires.desc(), sessions.c.digest).limit(SESSIONS)
            connection.execute(sessions.delete().where(own, sessions.c.digest.not_in(newest)))
            self._note(connection, team.name, "signed in", "", "")
        return secret

    def find_session(self, secret: str) -> Team | None:
        """The team that a browser is signed in as."""
        known = sessions.c.digest == digest(secret)
        with self._reading() as connection:
            found = sa.select(teams).join(sessions, sessions.c.team == teams.c.id)
            rows = connection.execute(found.where(known, sessions.c.expires > self._clock()))
            row = rows.mappings().first()
        return read_team(row) if row else None

    def end_session(self, secret: str) -> None:
        """Sign a browser out."""
        with self._writing() as connection:
            connection.execute(sessions.delete().where(sessions.c.digest == digest(secret)))
