"""Failed attempts to sign in: how many a client has left, in bounded memory."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable

EACH = 10
"""Failures of one client in ``WINDOW_S``; for clients that were never let in also ``ALL``
failures of all together in ``MINUTE_S``."""
WINDOW_S = 900
ALL = 300
MINUTE_S = 60
REMEMBERED = 10_000
"""Clients; whoever failed longest ago is forgotten first."""


class Attempts:
    """Counts failures by client. ``clock`` says seconds. Used from one thread.

    A client that is out of attempts is refused whatever it sends, so that nothing can be learned.
    One that was let in before is not kept out by the failures of others.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._all = (0.0, 0)

    def wait(self, client: str) -> int:
        """Whole seconds until this client may try again; 0: it may now."""
        key, now = _group(client), self._clock()
        start, count = self._failed.get(key, (now, 0))
        if count >= EACH and (left := start + WINDOW_S - now) > 0:
            return math.ceil(left)
        start, count = self._all
        if count >= ALL and key not in self._known and (left := start + MINUTE_S - now) > 0:
            return math.ceil(left)
        return 0

    def fail(self, client: str) -> None:
        """A token or a session that is nobody's."""
        key, now = _group(client), self._clock()
        start, count = self._failed.pop(key, (now, 0))
        self._failed[key] = (start, count + 1) if now < start + WINDOW_S else (now, 1)
        start, count = self._all
        self._all = (start, count + 1) if now < start + MINUTE_S else (now, 1)
        if len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)

    def succeed(self, client: str) -> None:
        """A token or a session that is somebody's. Failures stay counted."""
        key = _group(client)
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _group(client: str) -> str:
    """An address; of IPv6 its network of 64 bits, which one client has to itself."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:  # a test's client, a socket without address
        return client[:64]
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
