"""What scale.py has done in processes of their own: benchmarks of any size, and ranking from disk.

``scale_work.py make FOLDER TIMES WIDTH`` writes a benchmark, its submission and features of the
training items too; ``matrices FOLDER TIMES`` the same with score matrices; ``gallery FOLDER TIMES
WIDTH`` the rows of all test items alone, of length one; ``rank FOLDER QUERIES`` ranks these for a
sample of the queries.

TIMES is how many items a medium has against fgxmedia-2019, classes and their shares as there.
Rows are drawn: a point of their class and noise, each medium's from a generator of its own.
"""

from __future__ import annotations

import json
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.lib import format as npy
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fgbench import load_benchmark
from fgbench.protocol import MEDIA, PAPER_STACK, Medium
from fgbench.scoring.gallery import Gallery, stack
from fgbench.scoring.ranks import Ranked, rank
from fgbench.scoring.similarity import units
from fgbench.submission import write_submission

DRAWN = 8192
"""Rows drawn at a time; another number gives other rows."""
SIGNAL = 0.4
"""How far rows lean towards their class, against noise of deviation 1."""
READ = 65_536
"""Rows of the gallery that are read at a time."""
ROW_BYTES = 256 << 20
"""Similarities of a block of queries to the whole gallery, a thread."""
MOST_ROWS, THREADS = 256, 2
ROWS, ABOUT = "gallery.f32", "gallery.json"

Labels = Mapping[Medium, NDArray[np.int64]]


def labels_at(times: float) -> Labels:
    """The official test labels, each as often as ``times`` says."""
    found = {}
    for medium, items in load_benchmark().items.items():
        count = round(times * len(items))
        found[medium] = items.labels[(np.arange(count) / times).astype(int)]
    return found


def draw(medium: Medium, labels: NDArray[np.int64], width: int) -> Iterator[NDArray[np.float32]]:
    """The rows of a medium, block after block."""
    points = np.random.default_rng(2019).standard_normal((labels.max() + 1, width), np.float32)
    rng = np.random.default_rng(MEDIA.index(medium))
    for first in range(0, len(labels), DRAWN):
        part = labels[first : first + DRAWN]
        noise = rng.standard_normal((len(part), width), dtype=np.float32)
        yield np.float32(SIGNAL) * points[part] + noise


def ids_of(medium: Medium, count: int, side: str = "test") -> NDArray[np.str_]:
    return np.array([f"{medium}/{side}/{number:07d}" for number in range(count)])


def write_benchmark(folder: Path, labels: Labels) -> None:
    """As many training items as test items, with the same labels."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"id": "scale", "title": "Drawn", "taxonomy": "fgbench:species"}
    (folder / "benchmark.json").write_text(json.dumps(about))
    for medium, mine in labels.items():
        sides = ("train", "test")
        columns = {
            "item_id": np.concatenate([ids_of(medium, len(mine), side) for side in sides]),
            "medium": [medium.value] * 2 * len(mine),
            "label": np.concatenate([mine, mine]),
            "split": np.repeat(sides, len(mine)),
        }
        pq.write_table(pa.table(columns), folder / f"{medium}.parquet")


def make(folder: Path, times: float, width: int) -> None:
    labels = labels_at(times)
    write_benchmark(folder / "benchmark", labels)
    (folder / "features").mkdir()
    vectors, ids = {}, {}
    for medium, mine in labels.items():
        vectors[medium] = np.concatenate([*draw(medium, mine, width)])
        ids[medium] = ids_of(medium, len(mine))
        noise = np.random.default_rng(99).standard_normal(vectors[medium].shape, np.float32)
        np.savez(
            folder / "features" / f"{medium}.npz",
            ids=np.concatenate([ids_of(medium, len(mine), "train"), ids[medium]]),
            features=np.concatenate([vectors[medium] + noise, vectors[medium]]),
        )
    write_submission(folder / "submission.npz", ids=ids, embeddings=vectors)


def matrices(folder: Path, times: float) -> None:
    """All ten matrices, those within a medium too, in float32."""
    labels = labels_at(times)
    write_benchmark(folder / "benchmark", labels)
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(folder / "submission.npz", "w") as archive:
        for at, query in enumerate(MEDIA):
            with archive.open(f"{query}_ids.npy", "w") as member:
                npy.write_array(member, ids_of(query, len(labels[query])))
            for other in MEDIA[at:]:
                shape = (len(labels[query]), len(labels[other]))
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                name = f"scores/{query}_{other}.npy"
                with archive.open(name, "w", force_zip64=True) as member:
                    npy.write_array_header_1_0(member, header)
                    for first in range(0, shape[0], 512):
                        mine = labels[query][first : first + 512]
                        drawn = rng.standard_normal((len(mine), shape[1]), dtype=np.float32)
                        drawn += mine[:, None] == labels[other]
                        member.write(drawn.tobytes())


def gallery(folder: Path, times: float, width: int) -> None:
    """Never in memory as a whole, media in the order in which they are stacked."""
    labels = labels_at(times)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ROWS).open("wb") as file:
        for medium in PAPER_STACK:
            for rows in draw(medium, labels[medium], width):
                file.write(units(rows, False).tobytes())
    (folder / ABOUT).write_text(json.dumps({"times": times, "width": width}))


def stacked(labels: Labels) -> Gallery:
    """The gallery as ``fgbench.scoring`` knows it: labels alone, no rows."""
    known = load_benchmark()
    assert known.taxonomy is not None
    places = np.searchsorted(known.taxonomy.labels, known.labels)
    gains = known.taxonomy.gains()[np.ix_(places, places)]
    return stack([labels[medium] for medium in PAPER_STACK], known.labels, gains)


def sample(bounds: NDArray[np.int64], queries: int) -> list[NDArray[np.int64]]:
    """Of each medium by its share, as places in the gallery."""
    rng = np.random.default_rng(7)
    counts = [round(queries * (end - start) / bounds[-1, 1]) for start, end in bounds]
    return [
        np.sort(start + rng.choice(end - start, count, replace=False))
        for (start, end), count in zip(bounds, counts, strict=True)
    ]


class Ranking:
    """A gallery that stays on disk, and a block of queries ranked against all of it."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / ABOUT).read_text())
        self.gallery, self.width = stacked(labels_at(about["times"])), about["width"]
        self.size = len(self.gallery.labels)
        self._path = folder / ROWS

    def read(self, first: int, count: int) -> NDArray[np.float32]:
        flat = np.fromfile(
            self._path, np.float32, count * self.width, offset=4 * self.width * first
        )
        return flat.reshape(-1, self.width)

    def of(self, at: int, queries: NDArray[np.int64]) -> Ranked:
        """What queries of the medium at ``at`` get: its own gallery is not asked, all media are."""
        mine = np.concatenate([self.read(int(query), 1) for query in queries])
        similarity = np.empty((len(queries), self.size), np.float32)
        for first in range(0, self.size, READ):
            rows = self.read(first, READ)
            similarity[:, first : first + len(rows)] = mine @ rows.T
        ranked = Ranked.blank(len(queries), self.gallery)
        others = np.arange(len(self.gallery.bounds)) != at
        rank(similarity, None, self.gallery, queries, others, True, ranked)
        return ranked


def rank_sample(folder: Path, queries: int) -> dict[str, object]:
    """Seconds of the ranking alone, and the APs of the queries by their place in the gallery."""
    ranking = Ranking(folder)
    step = max(1, min(MOST_ROWS, ROW_BYTES // (4 * ranking.size)))
    blocks = [
        (at, mine[first : first + step])
        for at, mine in enumerate(sample(ranking.gallery.bounds, queries))
        for first in range(0, len(mine), step)
    ]
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(THREADS) as pool:
        ranking.of(*blocks[0])  # untimed: loads what numba has compiled
        wall, cpu = time.perf_counter(), time.process_time()
        done = list(pool.map(lambda block: ranking.of(*block), blocks))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    union = np.concatenate([ranked.measures[:, -1, 0] for ranked in done])
    asked = np.concatenate([places for _, places in blocks])
    return {
        "seconds": wall,
        "cpu": cpu,
        "queries": len(asked),
        "items": ranking.size,
        "step": step,
        "ap": dict(zip(asked.tolist(), union.tolist(), strict=True)),
    }


def apart(folder: Path, per_query: str, queries: int) -> float:
    """How far the APs over all media are from those that ``fgbench score`` wrote, at most."""
    ranking = Ranking(folder)
    table = pq.read_table(per_query).to_pandas()
    table = table[table["task"].str.endswith("all")].set_index("item_id")["ap_excluded"]
    ids = [i for m in PAPER_STACK for i in ids_of(m, len(labels_at(1)[m])).tolist()]
    found = rank_sample(folder, queries)["ap"]
    assert isinstance(found, dict)
    assert ranking.size == len(ids)
    return max(abs(value - float(table[ids[int(place)]])) for place, value in found.items())


def main(verb: str, folder: str, *more: str) -> None:
    place = Path(folder)
    match verb:
        case "make":
            make(place, float(more[0]), int(more[1]))
        case "matrices":
            matrices(place, float(more[0]))
        case "gallery":
            gallery(place, float(more[0]), int(more[1]))
        case "rank":
            found = rank_sample(place, int(more[0]))
            aps = found.pop("ap")
            assert isinstance(aps, dict)
            print(json.dumps({**found, "map": float(np.mean([*aps.values()]))}))
        case "apart":
            print(apart(place, more[0], int(more[1])))


if __name__ == "__main__":
    main(*sys.argv[1:])
