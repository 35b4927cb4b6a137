"""What is from outside: embedded as the run's own items were, or refused with the reason."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_gallery import item_id, write_gallery, write_run

from fgbench.errors import InputError
from fgbench.media.item import MediaItem
from fgbench.media.preset import PAPER
from fgbench.protocol import MEDIA, Medium
from fgbench.retrieval.catalogue import Catalogue, read_catalogue
from fgbench.retrieval.embedding import embed_outside
from fgbench.retrieval.query import Query, find_query
from fgbench.retrieval.ranking import rank_galleries
from fgbench.submission import Space, read_submission
from fgbench.train.hardware import Device, Hardware
from fgbench.train.method import Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run
from fgbench.train.source import dataset

IMAGE, TEXT, VIDEO, AUDIO = MEDIA


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gallery(tmp_path_factory.mktemp("gallery") / "build")


@pytest.fixture(scope="module")
def catalogue(build: Path) -> Catalogue:
    return read_catalogue(build)


@pytest.fixture(scope="module")
def run(build: Path) -> Path:
    """A small network, trained for an epoch on pictures of 32 pixels."""
    recipe = Recipe.choose("fgcrossnet", budget=Budget.TINY)
    hardware = Hardware(Device.CPU, workers=0)
    data = dataset(build, preset=PAPER.at_side(32))
    made = Run(recipe, data, build.parent / "run", hardware)
    made.train()
    return made.embed().parent


def embed(run: Path, catalogue: Catalogue, item: MediaItem) -> np.ndarray:
    with read_submission(run / "submission.npz") as submission:
        return embed_outside(item, run, submission, catalogue, device="cpu")


@pytest.mark.parametrize("medium", MEDIA)
def test_a_test_item_s_own_file_has_its_embedding(run, catalogue, medium):
    entry = catalogue.entry(medium, item_id(medium, 3))
    found = embed(run, catalogue, replace(entry.item, item_id="another name"))
    with read_submission(run / "submission.npz") as submission:
        (at,) = np.flatnonzero(submission.ids[medium] == item_id(medium, 3))
        held = submission.embedding(medium)
    np.testing.assert_allclose(found, held[at], rtol=1e-4, atol=1e-6)
    assert np.abs(held - found).max(axis=1).argmin() == at


def test_a_file_is_ranked_as_the_item_would_be_but_for_itself(run, catalogue, build):
    query = find_query(str(build / "media/audio/bird_2.flac"), catalogue)
    query = Query(query.entry, embedding=embed(run, catalogue, query.entry.item))
    known = find_query("audio/bird_2", catalogue)
    with read_submission(run / "submission.npz") as submission:
        ask = (submission, catalogue.benchmark)
        (outside,) = rank_galleries(*ask, query, [IMAGE], 6)
        (inside,) = rank_galleries(*ask, known, [IMAGE], 6)
        (own,) = rank_galleries(*ask, query, [AUDIO], 6)
    assert [h.item_id for h in outside.hits] == [h.item_id for h in inside.hits]
    assert (outside.ap, outside.relevant, outside.hits[0].right) == (None, None, None)
    assert own.hits[0].item_id == "audio/bird_2"
    assert own.hits[0].score == pytest.approx(1, abs=1e-5)


def refusal(run: Path, catalogue: Catalogue, medium: Medium = TEXT) -> InputError:
    with pytest.raises(InputError) as refused:
        embed(run, catalogue, MediaItem("words", medium, text="A dark seabird."))
    return refused.value


def test_a_submission_alone_cannot_embed(tmp_path, catalogue):
    error = refusal(write_run(tmp_path / "run"), catalogue)
    assert error.code == "FG-Q006"
    assert "no network" in error.what


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features": ["image", "text"]}, "vectors"),
        ({"inputs": {"image": [3, 32, 32]}}, "no text"),
        ({"inputs": "all"}, "does not say"),
        ({"inputs": {"text": None}}, "does not say"),
    ],
)
def test_what_the_run_was_trained_on_decides(copy, catalogue, changes, said):
    path = copy / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    error = refusal(copy, catalogue)
    assert error.code == "FG-Q006"
    assert said in error.what


def test_a_run_without_its_record_is_refused(copy, catalogue):
    (copy / "run.json").write_text("{")
    assert refusal(copy, catalogue).code == "FG-Q006"
    (copy / "run.json").unlink()
    assert refusal(copy, catalogue).code == "FG-Q006"


def test_a_network_that_is_not_there_or_another_s_is_refused(copy, catalogue):
    config = yaml.safe_load((copy / "config.yaml").read_text())
    (copy / "config.yaml").write_text(yaml.safe_dump(config | {"seed": 7}))
    assert refusal(copy, catalogue).code == "FG-G031"
    (copy / "config.yaml").write_text(yaml.safe_dump(config))
    (copy / "checkpoint.pt").write_bytes(b"PK\x03\x04")
    assert refusal(copy, catalogue).code == "FG-G030"
    (copy / "checkpoint.pt").unlink()
    assert refusal(copy, catalogue).code == "FG-G034"


def test_a_closed_form_leaves_no_network(copy, catalogue):
    recipe = Recipe.choose("jrl", budget=Budget.TINY)
    found = yaml.safe_load((copy / "config.yaml").read_text())
    (copy / "config.yaml").write_text(yaml.safe_dump(found | recipe.identity()))
    assert "closed form" in refusal(copy, catalogue).what


def test_media_that_were_compared_by_pairs_are_refused(run, catalogue):
    with read_submission(run / "submission.npz") as submission:
        apart = replace(submission, space=Space.PAIRWISE)
        with pytest.raises(InputError, match="pair by pair"):
            embed_outside(MediaItem("x", TEXT, text="x"), run, apart, catalogue)


def test_files_somewhere_are_needed_and_asked_for(run, catalogue):
    assert refusal(run, replace(catalogue, media_root=None)).code == "FG-Q007"


@pytest.mark.parametrize(
    ("medium", "content", "code"),
    [(IMAGE, b"no picture", "FG-M002"), (AUDIO, b"", "FG-M"), (VIDEO, b"RIFF", "FG-M008")],
)
def test_a_file_that_cannot_be_used_is_named(run, catalogue, tmp_path, medium, content, code):
    path = tmp_path / "query.bin"
    path.write_bytes(content)
    with pytest.raises(InputError, match=code) as refused:
        embed(run, catalogue, MediaItem("query.bin", medium, path=path))
    assert "query.bin" in str(refused.value)


def test_a_text_without_a_letter_is_named(run, catalogue):
    with pytest.raises(InputError, match="FG-M004"):
        embed(run, catalogue, MediaItem("the query", TEXT, text=" "))
