"""Other ways to the same MAPs: ``peers.py NAME PLAIN QUERIES`` times one on a sample of queries.

Each way gets unit float32 features in memory and gives the mean AP of some queries over one
gallery; X→All galleries keep the query. It runs once on eight queries before the clock starts, so
neither imports nor just-in-time compiling are in ``seconds``; they are in the process's wall time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from workload import Workload

Features = NDArray[np.float32]
Labels = NDArray[np.int64]
Sample = dict[str, NDArray[np.int64]]
Average = Callable[[Features, Labels, Features, Labels], float]


def authors(queries: Features, asked: Labels, gallery: Features, labels: Labels) -> float:
    """As the paper's released script is described: cdist in float64, argsort, a Python loop."""
    from scipy.spatial.distance import cdist

    order = np.argsort(cdist(queries.astype(float), gallery.astype(float), "cosine"), axis=1)
    total = 0.0
    for row, label in zip(order, asked, strict=True):
        hits, precision = 0, 0.0
        for rank, item in enumerate(row, start=1):
            if labels[item] == label:
                hits += 1
                precision += hits / rank
        total += precision / hits
    return total / len(asked)


def average_sorted(relevant: NDArray[np.bool_]) -> NDArray[np.float64]:
    """AP of each row, from the relevance of its gallery in the order of retrieval."""
    precision = np.cumsum(relevant, axis=1) / np.arange(1, relevant.shape[1] + 1)
    return np.asarray((precision * relevant).sum(axis=1) / relevant.sum(axis=1))


def numpy_each(queries: Features, asked: Labels, gallery: Features, labels: Labels) -> float:
    order = np.argsort(-(queries @ gallery.T), axis=1, kind="stable")
    return float(average_sorted(labels[order] == asked[:, None]).mean())


def sklearn(queries: Features, asked: Labels, gallery: Features, labels: Labels) -> float:
    from sklearn.metrics import average_precision_score

    scores = queries @ gallery.T
    rows = zip(scores, asked, strict=True)
    return float(np.mean([average_precision_score(labels == y, row) for row, y in rows]))


def metric_learning(queries: Features, asked: Labels, gallery: Features, labels: Labels) -> float:
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    measure = "mean_average_precision"
    nearest = CustomKNN(CosineSimilarity())
    calculator = AccuracyCalculator(include=(measure,), k=None, knn_func=nearest)
    return float(calculator.get_accuracy(queries, asked, gallery, labels)[measure])


def torchmetrics(queries: Features, asked: Labels, gallery: Features, labels: Labels) -> float:
    import torch
    from torchmetrics.retrieval import RetrievalMAP

    scores = torch.from_numpy(queries @ gallery.T)
    relevant = torch.from_numpy(labels == asked[:, None])
    rows = torch.arange(len(asked))[:, None].expand(scores.shape)
    return float(RetrievalMAP()(scores.flatten(), relevant.flatten(), indexes=rows.flatten()))


def as_dicts(
    queries: Features, asked: Labels, gallery: Features, labels: Labels
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, float]]]:
    """Judgements and run as the TREC-style libraries take them: query → item → value."""
    names = [f"g{i}" for i in range(len(labels))]
    judged = {
        f"q{i}": {names[j]: 1 for j in np.flatnonzero(labels == y)} for i, y in enumerate(asked)
    }
    scores = (queries @ gallery.T).tolist()
    return judged, {f"q{i}": dict(zip(names, row, strict=True)) for i, row in enumerate(scores)}


def pytrec_eval(queries: Features, asked: Labels, gallery: Features, labels: Labels) -> float:
    from pytrec_eval import RelevanceEvaluator

    judged, run = as_dicts(queries, asked, gallery, labels)
    found = RelevanceEvaluator(judged, {"map"}).evaluate(run)
    return float(np.mean([value["map"] for value in found.values()]))


def ranx(queries: Features, asked: Labels, gallery: Features, labels: Labels) -> float:
    from ranx import Qrels, Run, evaluate

    judged, run = as_dicts(queries, asked, gallery, labels)
    return float(evaluate(Qrels(judged), Run(run), "map"))


def by_task(average: Average, block: int, workload: Workload, sample: Sample) -> dict[str, float]:
    """Each task by itself, that many queries a call, which bounds the memory of those that ask."""
    maps = {}
    for code, query, medium in workload.tasks():
        chosen = sample[query]
        features, asked = workload.features[query][chosen], workload.labels[query][chosen]
        gallery, labels = workload.gallery(medium)
        total = 0.0
        for a in range(0, len(chosen), block):
            part = slice(a, a + block)
            total += average(features[part], asked[part], gallery, labels) * len(asked[part])
        maps[code] = total / len(chosen)
    return maps


def numpy_shared(workload: Workload, sample: Sample) -> dict[str, float]:
    """One argsort a query of all items; the smaller galleries are read off that order."""
    gallery, labels = workload.gallery(None)
    sizes = [len(y) for y in workload.labels.values()]
    medium_of = np.repeat(np.arange(len(sizes)), sizes)
    media = list(workload.labels)
    totals = {code: 0.0 for code, _, _ in workload.tasks()}
    for query, chosen in sample.items():
        for rows in np.split(chosen, range(512, len(chosen), 512)):
            order = np.argsort(-(workload.features[query][rows] @ gallery.T), axis=1, kind="stable")
            relevant = labels[order] == workload.labels[query][rows, None]
            totals[f"{query[0]}2all"] += average_sorted(relevant).sum()
            medium = medium_of[order]
            for m in range(len(media)):
                if media[m] != query:
                    part = relevant[medium == m].reshape(len(rows), sizes[m])
                    totals[f"{query[0]}2{media[m][0]}"] += average_sorted(part).sum()
    return {code: totals[code] / len(sample[query]) for code, query, _ in workload.tasks()}


WHOLE = sys.maxsize  # a task's queries in one call, as the authors' script takes them
WAYS: dict[str, Callable[[Workload, Sample], dict[str, float]]] = {
    "authors": partial(by_task, authors, WHOLE),
    "numpy": partial(by_task, numpy_each, 512),
    "numpy-shared": numpy_shared,
    "sklearn": partial(by_task, sklearn, 512),
    "metric-learning": partial(by_task, metric_learning, 512),
    "torchmetrics": partial(by_task, torchmetrics, 512),
    "pytrec_eval": partial(by_task, pytrec_eval, 128),
    "ranx": partial(by_task, ranx, 128),
}


def main(name: str, plain: str, queries: int) -> None:
    workload = Workload.read(plain)
    sample = workload.sample(queries)
    WAYS[name](workload, workload.sample(8))
    start = time.perf_counter()
    maps = WAYS[name](workload, sample)
    seconds = time.perf_counter() - start
    asked = sum(map(len, sample.values()))
    print(json.dumps({"seconds": seconds, "queries": asked, "of": workload.size, "maps": maps}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
