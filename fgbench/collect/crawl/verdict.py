"""What an answer amounts to: whether it counts, where it leads, or why it does not."""

from __future__ import annotations

from dataclasses import dataclass

from fgbench.collect.crawl.address import Addresses
from fgbench.collect.crawl.http import Answer
from fgbench.collect.crawl.journal import State
from fgbench.collect.crawl.robots import forbids_ai
from fgbench.collect.sites.base import Failure, FetchFailed

_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a URL; ``target`` is canonical, and only where it moved."""

    state: State
    failure: Failure | None = None
    detail: str = ""
    target: str = ""


def failed(failure: Failure, detail: str) -> Verdict:
    """The verdict on a URL that could not be had."""
    return Verdict(State.REFUSED if failure.refusal else State.FAILED, failure, detail)


def judge(url: str, answer: Answer, addresses: Addresses) -> Verdict:
    """The verdict on the answer to a canonical URL."""
    status = answer.status
    if status in _REDIRECTS and answer.header("location"):
        return _follow(url, answer.header("location"), addresses)
    if 200 <= status < 300:
        if forbids_ai(answer.header("x-robots-tag")):
            return failed(Failure.NOAI, "X-Robots-Tag forbids use in AI")
        return Verdict(State.DONE)
    if status in {404, 410}:
        return Verdict(State.ABSENT)
    auth = addresses.origin(url).auth
    detail = f"the host answered {status} {answer.reason}".rstrip()
    if status in {401, 403} and auth is not None and auth.covers(url):
        return failed(Failure.KEY_REFUSED, f"{detail}: check {auth.key}")
    if status == 429:
        return failed(Failure.RATE_LIMITED, detail)
    kinds = {4: Failure.HTTP_4XX, 5: Failure.HTTP_5XX}
    return failed(kinds.get(status // 100, Failure.HTTP_3XX), detail)


def _follow(url: str, location: str, addresses: Addresses) -> Verdict:
    try:
        target = addresses.canonical(location, near=url)
        addresses.origin(target)
    except FetchFailed as failure:
        return failed(failure.kind, f"redirected to {failure.url}: {failure.detail}")
    if target.split("/")[2] not in addresses.origin(url).hosts:
        return failed(Failure.OFF_SITE, f"redirected to {target}: no host of the site's own")
    return Verdict(State.MOVED, target=target)
