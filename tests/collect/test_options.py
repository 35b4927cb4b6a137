"""What the user's words amount to, and every fault of them at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fgbench.collect.clean.audio import Rules
from fgbench.collect.clean.segments import Pieces
from fgbench.collect.options import ON_DEMAND, Options, choose_labels, choose_sites, decide
from fgbench.collect.recipe import Recipe, read_recipe, write_recipe
from fgbench.collect.sites import names
from fgbench.collect.sites.base import Access, Auth
from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import Medium
from fgbench.settings import Secret, Settings

BEFORE = Recipe(
    (Medium.TEXT,), (3, 5), ("fandom", "ebird"), {Medium.TEXT: 7}, as_of="2019-01-01", seed=9
)


KEYS = {name: Secret("it's me") for name in ("FGBENCH_XENO_CANTO_KEY", "FGBENCH_FREESOUND_TOKEN")}
POINTERS = ("bird-sounds", "avibase", "soundcloud")


def test_without_a_word_it_is_the_papers_text_and_audio_of_open_sites():
    decision = decide(Options(), Settings())
    recipe = decision.recipe
    assert recipe.media == (Medium.TEXT, Medium.AUDIO)
    assert recipe.labels == tuple(range(200))
    assert recipe.per_class == {Medium.TEXT: 40, Medium.AUDIO: 60}
    assert (recipe.seed, recipe.as_of) == (0, None)
    assert recipe.sites == tuple(site.name for site in decision.sites)
    assert recipe.sites == ("wikipedia", "fandom", *POINTERS)
    assert set(decision.left_out) == set(names()) - set(recipe.sites)
    assert "--access research_copy" in decision.left_out["audubon"]
    assert "FGBENCH_XENO_CANTO_KEY" in decision.left_out["xeno-canto"]
    keyed = decide(Options(media="audio"), Settings(keys=KEYS)).recipe
    assert keyed.sites == ("xeno-canto", "bird-sounds", "freesound", "avibase", "soundcloud")


def test_how_sound_is_treated_is_remembered_and_birdnet_is_for_those_who_have_it(monkeypatch):
    monkeypatch.setattr("fgbench.collect.options.is_installed", lambda: True)
    recipe = decide(Options(), Settings()).recipe
    assert recipe.rules == Rules(Pieces.SHORT, birdnet=True, keep_doubtful=False)
    assert not decide(Options(sample=True), Settings()).recipe.rules.birdnet
    told = Options(pieces="paper", birdnet=False, keep_doubtful=True, soundcloud_audio=True)
    decision = decide(told, Settings())
    assert decision.recipe.rules == Rules(Pieces.PAPER, birdnet=False, keep_doubtful=True)
    soundcloud = next(site for site in decision.sites if site.name == "soundcloud")
    assert soundcloud.audio
    again = decide(Options(), Settings(), before=decision.recipe).recipe
    assert again == decision.recipe
    back = decide(Options(birdnet=True, keep_doubtful=False), Settings(), before=again).recipe
    assert back.rules == Rules(Pieces.PAPER, birdnet=True, keep_doubtful=False)


def test_access_is_granted_by_kind_and_by_the_sample_world():
    granted = decide(Options(media="text", access="research_copy, archive"), Settings())
    assert {"audubon", "neotropical"} <= set(granted.recipe.sites)
    assert set(granted.left_out) == {"birdsna"}
    everything = decide(Options(sample=True), Settings()).recipe.sites
    assert everything == tuple(name for name in names() if name != "findsounds")


def test_offline_what_is_left_out_is_as_before():
    assert decide(Options(), Settings(), before=BEFORE).recipe == BEFORE
    other = decide(Options(species="1", per_class=2, seed=0), Settings(), before=BEFORE).recipe
    assert (other.labels, other.per_class, other.seed) == ((0,), {Medium.TEXT: 2}, 0)
    assert (other.sites, other.as_of) == (BEFORE.sites, BEFORE.as_of)
    fewer = decide(Options(sites="wikipedia"), Settings(), before=BEFORE).recipe
    assert fewer.sites == ("wikipedia",)


def test_a_named_copy_adds_its_medium_and_is_as_before_offline(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named = Options(cub=Path("cub.tgz"), youtube_birds=tmp_path / "clips")
    recipe = decide(named, Settings()).recipe
    copies = {Medium.IMAGE: tmp_path / "cub.tgz", Medium.VIDEO: tmp_path / "clips"}
    assert recipe.media == tuple(Medium)
    assert (recipe.copies, recipe.per_class) == (copies, {Medium.TEXT: 40, Medium.AUDIO: 60})
    write_recipe(tmp_path, recipe)
    assert read_recipe(tmp_path) == recipe
    assert decide(Options(), Settings(), before=recipe).recipe == recipe
    moved = decide(Options(cub=tmp_path / "moved"), Settings(), before=recipe).recipe
    assert moved.copies == copies | {Medium.IMAGE: tmp_path / "moved"}
    more = decide(Options(cub=tmp_path / "cub"), Settings(), before=BEFORE).recipe
    assert (more.media, more.sites) == ((Medium.IMAGE, Medium.TEXT), BEFORE.sites)
    alone = decide(Options(media="image"), Settings(), before=recipe).recipe
    assert (alone.sites, alone.per_class) == ((), {})
    assert set(alone.copies) == {Medium.IMAGE}
    texts = decide(Options(media="text"), Settings(), before=alone).recipe
    assert (texts.sites, texts.per_class) == (("wikipedia", "fandom"), {Medium.TEXT: 40})


def test_all_faults_are_said_at_once():
    options = Options(
        media="text,smell,image",
        species="1,201,Dodo",
        sites="wikipedia,audubon,nowhere",
        access="archive,theft",
        as_of="2019-13-01",
    )
    with pytest.raises(FaultyInput) as caught:
        decide(options, Settings())
    told = [(fault.code, fault.where, fault.found) for fault in caught.value.faults]
    assert told == [
        ("FG-U002", "--media", "'smell'"),
        ("FG-U008", "--media image", "no --cub"),
        ("FG-N001", "--species", "there is no class 201"),
        ("FG-N001", "--species", "no class is called 'Dodo'"),
        ("FG-U002", "--as-of", "'2019-13-01'"),
        ("FG-U002", "--access", "'theft'"),
        ("FG-U004", "--sites audubon", "access research_copy"),
        ("FG-U003", "--sites", "'nowhere'"),
    ]


@pytest.mark.parametrize("word", ["20190101", "2019-W01-1", "2019-1-1", "yesterday"])
def test_a_date_is_a_day(word):
    with pytest.raises(FaultyInput, match="FG-U002"):
        decide(Options(as_of=word), Settings())


def test_species_come_by_comma_line_and_file(tmp_path):
    wanted = (0, 1, 140)
    for words in "001.Black_footed_Albatross,2,arctic tern", " 2\n\n1,\nArctic Tern \n1":
        assert choose_labels(words) == (wanted, [])
        (tmp_path / "list.txt").write_text(words, encoding="utf-8-sig")
        assert choose_labels(f"@{tmp_path / 'list.txt'}") == (wanted, [])
    assert [fault.code for fault in choose_labels(" , ")[1]] == ["FG-U002"]
    with pytest.raises(InputError, match="FG-D011"):
        choose_labels(f"@{tmp_path / 'none'}")


def test_a_site_that_wants_a_key_is_asked_where_the_key_is_set(aviary):
    aviary.access = Access.KEY
    aviary.auth = Auth("FGBENCH_AVIARY_KEY", aviary.home, parameter="key")
    asked, left_out, faults = choose_sites([aviary], [], [], {})
    assert (asked, faults) == ((), [])
    assert left_out == {"aviary": "no key: set FGBENCH_AVIARY_KEY"}
    keys = {"FGBENCH_AVIARY_KEY": Secret("it's me")}
    assert choose_sites([aviary], [], [], keys) == ((aviary,), {}, [])
    assert [f.code for f in choose_sites([aviary], ["aviary"], [], {})[2]] == ["FG-U004"]


def test_a_site_that_is_off_is_never_asked_and_says_why(aviary):
    aviary.access = Access.OFF
    asked, left_out, _ = choose_sites([aviary], [], ON_DEMAND, {})
    assert (asked, left_out) == ((), {"aviary": "access off: Made up."})


def test_a_recipe_is_read_as_it_was_written(tmp_path):
    assert read_recipe(tmp_path) is None
    write_recipe(tmp_path, BEFORE)
    assert read_recipe(tmp_path) == BEFORE
    first = (tmp_path / "build.json").read_bytes()
    write_recipe(tmp_path, BEFORE)
    assert (tmp_path / "build.json").read_bytes() == first


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", "[" * 9999, '{"format": 2}', '{"format": 1, "species": [0]}']
)
def test_a_damaged_recipe_is_said(tmp_path, text):
    (tmp_path / "build.json").write_text(text)
    with pytest.raises(InputError, match="FG-U001"):
        read_recipe(tmp_path)


@pytest.mark.parametrize("copies", [[], {"smell": "/"}, {"image": 3}, {"image": None}])
def test_a_recipe_with_copies_that_are_no_paths_is_damaged(tmp_path, copies):
    (tmp_path / "build.json").write_text(json.dumps(BEFORE.to_json() | {"copies": copies}))
    with pytest.raises(InputError, match="FG-U001"):
        read_recipe(tmp_path)


@pytest.mark.parametrize("classes", [[0], [201], [4, None], 4])
def test_a_recipe_with_classes_that_do_not_exist_is_damaged(tmp_path, classes):
    content = BEFORE.to_json()
    assert content["species"] == [4, 6]
    (tmp_path / "build.json").write_text(json.dumps(content | {"species": classes}))
    with pytest.raises(InputError, match="FG-U001"):
        read_recipe(tmp_path)
