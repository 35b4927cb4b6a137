"""What a build would ask, and how long that takes, without asking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fgbench.collect.crawl.address import ROBOTS
from fgbench.collect.sites.base import Site


@dataclass(frozen=True, slots=True)
class HostPlan:
    """At most so many requests to a host, and the seconds that they take at its pace."""

    host: str
    requests: int
    seconds: float


def plan(sites: Iterable[Site], queries: int, sounds: Mapping[str, int]) -> tuple[HostPlan, ...]:
    """The requests of ``queries`` queries to each site, by host, the slowest first.

    ``sounds``: the most recordings that are fetched from a site, by its name.

    An upper bound: an adapter stops at the first name that a site knows, and a second run asks for
    nothing again. Hosts work side by side, so the longest of these times is that of the build. All
    requests of a site are counted at its first host; a crawl-delay in robots.txt is not known yet.
    """
    hosts: dict[str, HostPlan] = {}
    for site in sites:
        host = site.hosts[0]
        requests = queries * site.requests_per_query + sounds.get(site.name, 0)
        requests += site.rule == ROBOTS
        before = hosts.get(host, HostPlan(host, 0, 0.0))
        hosts[host] = HostPlan(
            host, before.requests + requests, before.seconds + requests * site.pace
        )
    return tuple(sorted(hosts.values(), key=lambda h: (-h.seconds, h.host)))
