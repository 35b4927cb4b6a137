"""Run as a process of its own by test_crash.py: crawls every page of two hosts through stand-ins.

Arguments: the folder, the servers' address, pages a host, the largest file in bytes (0: any).
"""

from __future__ import annotations

import resource
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.crawl.workers import run_hosts
from fgbench.errors import FgbenchError
from fgbench.settings import Settings

folder, address, pages, largest = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if largest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
sites = [
    SimpleNamespace(
        name=name,
        hosts=(f"{name}.example",),
        pace=1,
        requests_per_query=1,
        rule="robots.txt",
        auth=None,
    )
    for name in ("one", "two")
]
settings = Settings(sites={f"FGBENCH_SITE_{s.name.upper()}_URL": address for s in sites})
try:
    with CrawlSession(folder, sites, settings, patience=Patience(pace=0)) as session:
        jobs = {
            site.name: [
                partial(session.get, f"https://{site.name}.example/{site.name}/{n}")
                for n in range(pages)
            ]
            for site in sites
        }
        print(len(list(run_hosts(jobs, session.clock))))
except FgbenchError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
