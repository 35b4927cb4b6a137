"""``python -m fgbench.collect.sample --port-file F``: the sample world as a process of its own.

F gets the settings as JSON, environment variables by name, once all sites answer.
"""

from __future__ import annotations

import json
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from pathlib import Path

from fgbench.collect.sample import Asked, FaultKind, SiteFault, sample_world


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = ArgumentParser(prog="python -m fgbench.collect.sample")
    parser.add_argument("--port-file", type=Path, required=True, metavar="F")
    parser.add_argument("--log", type=Path, metavar="F", help="one JSON document a request")
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar='{"kind": K, "site": S, "path": P, "times": N, "seconds": X}',
    )
    parser.add_argument("--delay", type=_delay, action="append", default=[], metavar="SITE=SECONDS")
    asked = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    lock = threading.Lock()

    def note(request: Asked) -> None:
        if asked.log:
            with lock, asked.log.open("a", encoding="utf-8") as log:
                log.write(f"{json.dumps(asdict(request))}\n")

    with sample_world(asked.fault, dict(asked.delay), note) as world:
        unfinished = asked.port_file.with_name(f"{asked.port_file.name}.part")
        unfinished.write_text(json.dumps(world.environ), encoding="utf-8")
        unfinished.replace(asked.port_file)
        stop.wait()


def _fault(text: str) -> SiteFault:
    try:
        fields = json.loads(text)
        return SiteFault(**{**fields, "kind": FaultKind(fields["kind"])})
    except (KeyError, TypeError, ValueError) as error:
        raise ArgumentTypeError(f"{text}: {error}") from error


def _delay(text: str) -> tuple[str, float]:
    site, _, seconds = text.partition("=")
    return site, float(seconds)


if __name__ == "__main__":
    main()
