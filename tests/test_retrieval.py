"""Retrieval: queries that are found or refused, rankings against the scorer and by brute force."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_gallery import COUNT, angle, embeddings, ids, item_id, write_gallery, write_run

from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import MEDIA, Medium, Task
from fgbench.retrieval.catalogue import Catalogue, read_catalogue
from fgbench.retrieval.query import find_query
from fgbench.retrieval.ranking import Ranking, check_galleries, rank_galleries
from fgbench.scoring.evaluate import evaluate
from fgbench.submission import check, write_submission

IMAGE, TEXT, VIDEO, AUDIO = MEDIA
EVERY = (*MEDIA, None)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gallery(tmp_path_factory.mktemp("gallery") / "build")


@pytest.fixture(scope="module")
def catalogue(build: Path) -> Catalogue:
    return read_catalogue(build)


def open_run(folder: Path, catalogue: Catalogue, **content):
    report = check(write_run(folder, **content) / "submission.npz", catalogue.benchmark)
    assert report.ok, report.faults
    return report.submission, report.coverage


def rows(seed: int, width: int = 3) -> dict[Medium, np.ndarray]:
    """Rows of a medium with few different values: some are equal, and so tie exactly."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((5, width)).astype(np.float32)
    return {m: drawn[rng.integers(0, 5, COUNT)] for m in MEDIA}


def symmetric(seed: int) -> dict[tuple[Medium, Medium], np.ndarray]:
    rng = np.random.default_rng(seed)
    wanted = [(a, b) for a, b in product(MEDIA, MEDIA) if MEDIA.index(a) <= MEDIA.index(b)]
    return {key: rng.integers(0, 5, (COUNT, COUNT)).astype(np.float32) for key in wanted}


SPACES = {
    "common": {"embeddings": rows(1)},
    "codes": {"embeddings": {m: np.sign(of) for m, of in rows(2, 6).items()}, "binary": True},
    "pairwise": {
        "pairs": {
            (a, b): (rows(3 + i)[a], rows(3 + i)[b])
            for i, (a, b) in enumerate(combinations(MEDIA, 2))
        }
    },
    "scores": {"scores": symmetric(9)},
}


@pytest.mark.parametrize("space", SPACES)
def test_the_ap_is_what_the_scorer_gives_the_query(space, tmp_path, catalogue):
    submission, _ = open_run(tmp_path, catalogue, **SPACES[space])
    values = evaluate(submission, catalogue.benchmark, threads=1)
    for medium in MEDIA:
        galleries = [g for g in EVERY if g is not medium]
        for number in range(COUNT):
            query = find_query(item_id(medium, number), catalogue)
            found = rank_galleries(submission, catalogue.benchmark, query, galleries, 3)
            for ranking in found:
                of_task = values[Task(medium, ranking.gallery)]
                (at,) = np.flatnonzero(of_task.rows == query.place)
                assert ranking.ap == pytest.approx(of_task.excluded[at], abs=1e-6)


@pytest.mark.parametrize("space", SPACES)
def test_hits_come_by_score_and_the_query_is_none_of_them(space, tmp_path, catalogue):
    submission, coverage = open_run(tmp_path, catalogue, **SPACES[space])
    query = find_query(item_id(AUDIO, 1), catalogue)
    check_galleries(submission, catalogue.benchmark, coverage, AUDIO, EVERY)
    for ranking in rank_galleries(submission, catalogue.benchmark, query, EVERY, 1000):
        wanted = {(m, item_id(m, n)) for m in MEDIA for n in range(COUNT)}
        wanted = {w for w in wanted if ranking.gallery in (None, w[0])} - {(AUDIO, "audio/bird_1")}
        assert {(h.medium, h.item_id) for h in ranking.hits} == wanted
        assert len(ranking.hits) == len(wanted) == ranking.items
        scores = [hit.score for hit in ranking.hits]
        assert scores == sorted(scores, reverse=True)
        for hit in ranking.hits:
            assert hit.rank == 1 + sum(score > hit.score for score in scores)
            assert hit.ties == scores.count(hit.score)
            number = int(hit.item_id.rpartition("_")[2].rpartition("/")[2])
            assert hit.right is (number % 3 == 1)
        assert ranking.relevant == sum(hit.right for hit in ranking.hits)


def test_scores_are_cosines_of_the_angles(tmp_path, catalogue):
    submission, _ = open_run(tmp_path, catalogue)
    query = find_query(item_id(IMAGE, 2), catalogue)
    (ranking,) = rank_galleries(submission, catalogue.benchmark, query, [None], 1000)
    assert ranking.measure == "cosine"
    apart = {
        (m, item_id(m, n)): abs(angle(m, n) - angle(IMAGE, 2)) for m in MEDIA for n in range(COUNT)
    }
    for hit in ranking.hits:
        wanted = np.cos(np.radians(apart[hit.medium, hit.item_id]))
        assert hit.score == pytest.approx(wanted, abs=1e-6)


def test_of_codes_the_score_is_minus_the_bits_that_differ(tmp_path, catalogue):
    submission, _ = open_run(tmp_path, catalogue, **SPACES["codes"])
    codes = SPACES["codes"]["embeddings"]
    query = find_query(item_id(TEXT, 0), catalogue)
    (ranking,) = rank_galleries(submission, catalogue.benchmark, query, [VIDEO], COUNT)
    for hit in ranking.hits:
        number = int(hit.item_id.rpartition("_")[2])
        assert hit.score == -np.sum(codes[VIDEO][number] != codes[TEXT][0])
    assert "Hamming" in ranking.measure


def test_of_matrices_the_score_is_the_entry(tmp_path, catalogue):
    submission, _ = open_run(tmp_path, catalogue, **SPACES["scores"])
    query = find_query(item_id(VIDEO, 4), catalogue)
    (ranking,) = rank_galleries(submission, catalogue.benchmark, query, [IMAGE], COUNT)
    for hit in ranking.hits:
        number = int(hit.item_id.rpartition("_")[2])
        assert hit.score == SPACES["scores"]["scores"][IMAGE, VIDEO][number, 4]


def first(folder: Path, build: Path, order: np.ndarray) -> Ranking:
    """All items tie; the submission's rows, and the manifest's, stand in that order."""
    catalogue = read_catalogue(build, split_column="split_grouped")
    given = {m: np.ones((COUNT, 2), np.float32) for m in MEDIA}
    write_run(folder, embeddings=given)
    with np.load(folder / "submission.npz") as held:
        arrays = {n: a[order] if n.endswith("_ids") else a for n, a in held.items()}
    np.savez(folder / "submission.npz", **arrays)
    submission = check(folder / "submission.npz", catalogue.benchmark).submission
    query = find_query(item_id(IMAGE, 0), catalogue)
    return rank_galleries(submission, catalogue.benchmark, query, [None], 7)[0]


def test_ties_stand_in_an_order_that_depends_on_no_row_order(tmp_path, build):
    one = first(tmp_path / "one", build, np.arange(COUNT))
    turned = write_gallery(tmp_path / "turned")
    for medium in MEDIA:
        path = turned / f"manifests/{medium}.parquet"
        table = pq.read_table(path)
        pq.write_table(table.take(np.arange(len(table))[::-1]), path)
    (turned / "manifests/benchmark.json").unlink()  # its digests are of the others
    other = first(tmp_path / "other", turned / "manifests", np.arange(COUNT)[::-1])
    assert [(h.medium, h.item_id) for h in one.hits] == [(h.medium, h.item_id) for h in other.hits]
    assert {(h.rank, h.ties) for h in one.hits} == {(1, 4 * COUNT - 1)}
    assert len({h.medium for h in one.hits}) > 1
    assert [h.item_id for h in one.hits] != sorted(h.item_id for h in one.hits)


def test_every_gallery_that_cannot_be_ranked_is_named_at_once(tmp_path, catalogue):
    held = rows(1)
    pairs = {(IMAGE, TEXT): (held[IMAGE], held[TEXT]), (TEXT, AUDIO): (held[TEXT], held[AUDIO])}
    given = {m: of for m, of in ids().items() if m is not VIDEO}
    write_submission(tmp_path / "submission.npz", ids=given, pairs=pairs)
    report = check(tmp_path / "submission.npz", catalogue.benchmark)
    ask = (report.submission, catalogue.benchmark, report.coverage)
    check_galleries(*ask, TEXT, [IMAGE, AUDIO])
    with pytest.raises(FaultyInput) as refused:
        check_galleries(*ask, IMAGE, EVERY)
    assert [(f.where, f.found) for f in refused.value.faults] == [
        ("--to image", "no video, no image_audio"),
        ("--to video", "no video"),
        ("--to audio", "no image_audio"),
        ("--to all", "no video, no image_audio"),
    ]
    with pytest.raises(FaultyInput, match="FG-Q004") as refused:
        check_galleries(*ask, VIDEO, EVERY)
    (fault,) = refused.value.faults
    assert fault.where == "the query, video"


def test_where_nothing_is_relevant_there_is_no_ap(tmp_path, build):
    folder = tmp_path / "manifests"
    folder.mkdir()
    for medium in (IMAGE, TEXT):
        table = pq.read_table(build / f"manifests/{medium}.parquet")
        if medium is TEXT:
            table = table.filter(np.array(table["label"]) != 0)
        pq.write_table(table, folder / f"{medium}.parquet")
    (folder / "benchmark.json").write_text(
        '{"id": "few", "title": "Few", "split_column": "split_grouped", '
        '"files": {"image.parquet": "", "text.parquet": ""}, "left_out": {"text": [0]}}'
    )
    catalogue = read_catalogue(folder)
    kept = {m: catalogue.benchmark.items[m].ids for m in (IMAGE, TEXT)}
    given = {m: np.ones((len(of), 2), np.float32) for m, of in kept.items()}
    write_submission(tmp_path / "s.npz", ids=kept, embeddings=given)
    submission = check(tmp_path / "s.npz", catalogue.benchmark).submission
    query = find_query(item_id(IMAGE, 0), catalogue)
    (ranking,) = rank_galleries(submission, catalogue.benchmark, query, [TEXT], 2)
    assert (ranking.relevant, ranking.ap) == (0, None)
    assert not any(hit.right for hit in ranking.hits)


def refusal(asked: str, catalogue: Catalogue, medium: Medium | None = None) -> InputError:
    with pytest.raises(InputError) as refused:
        find_query(asked, catalogue, medium)
    return refused.value


def test_an_unknown_id_is_refused_with_those_near_it(catalogue):
    error = refusal("audio/brid_3", catalogue)
    assert error.code == "FG-Q001"
    assert "audio/bird_3" in error.fix
    assert "audio/bird_5" in refusal("BIRD_5", catalogue, AUDIO).fix
    assert "image/bird_0" in refusal("\x1b[31m" + "z" * 500, catalogue).fix
    assert "\x1b" not in str(refusal("\x1b[31m", catalogue))
    assert "not of its test side" in refusal(item_id(IMAGE, COUNT), catalogue).why
    assert "not of its test side" not in error.why


@pytest.mark.parametrize("asked", ["", " ", "\0", "x" * 5000, "a\ud800"])
def test_what_no_file_is_called_is_refused_all_the_same(asked, catalogue):
    assert refusal(asked, catalogue).code == "FG-Q001"


def test_an_id_of_two_media_needs_to_be_said(tmp_path):
    for medium in (IMAGE, TEXT):
        columns = {"item_id": ["same", f"{medium}"], "medium": [medium.value] * 2}
        columns |= {"label": [0, 1], "split": ["test"] * 2}
        pq.write_table(pa.table(columns), tmp_path / f"{medium}.parquet")
    catalogue = read_catalogue(tmp_path)
    error = refusal("same", catalogue)
    assert error.code == "FG-Q002"
    assert "image and of text" in error.what
    assert find_query("same", catalogue, TEXT).medium is TEXT
    assert find_query("image", catalogue).entry.species == "label 1"


def test_a_file_is_of_the_medium_that_its_ending_says(tmp_path, catalogue, build):
    for name, medium in (("a.JPG", IMAGE), ("b.flac", AUDIO), ("c.mp4", VIDEO)):
        (tmp_path / name).write_bytes(b"x")
        query = find_query(str(tmp_path / name), catalogue)
        assert (query.medium, query.place, query.entry.label) == (medium, None, None)
        assert query.entry.item.path == tmp_path / name
    assert find_query(str(build / "media/video/bird_0"), catalogue).medium is VIDEO
    (tmp_path / "d.bin").write_bytes(b"x")
    assert refusal(str(tmp_path / "d.bin"), catalogue).code == "FG-Q003"
    assert find_query(str(tmp_path / "d.bin"), catalogue, AUDIO).medium is AUDIO


def test_words_are_a_text_where_that_is_said(tmp_path, catalogue):
    assert find_query("A dark seabird.", catalogue, TEXT).entry.item.text == "A dark seabird."
    (tmp_path / "e.txt").write_text("\ufeffGrüße", "utf-8")
    assert find_query(str(tmp_path / "e.txt"), catalogue).entry.item.text == "Grüße"
    (tmp_path / "e.txt").write_bytes(b"Gr\xfc\xdfe")
    assert refusal(str(tmp_path / "e.txt"), catalogue).code == "FG-Q009"


def test_an_item_is_shown_with_all_that_its_manifest_says(catalogue, build):
    entry = catalogue.entry(VIDEO, "video/bird_1")
    assert entry.species == "Laysan Albatross"
    assert entry.item.path == build / "media/video/bird_1.mp4"
    assert entry.redistributable is True
    assert catalogue.entry(TEXT, "text/0").redistributable is False
    assert catalogue.entry(TEXT, "text/0").item.text.startswith("0. ")
    assert list(embeddings()) == list(catalogue.benchmark.media)
