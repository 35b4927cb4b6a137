"""The site of a board: what its files say, to whom they link, and when none are written."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lxml import html
from small_board import edit, hand, write_card, write_ground, write_vectors

from fgbench import load_benchmark, score
from fgbench.benchmark import DEFAULT
from fgbench.cli import main
from fgbench.dataset.audit import audit
from fgbench.errors import FaultyInput, InputError
from fgbench.leaderboard.board import Rules, make_board
from fgbench.leaderboard.build import MARK, build_site
from fgbench.leaderboard.check import check_results
from fgbench.leaderboard.handin import hand_in, with_card
from fgbench.leaderboard.names import slug
from fgbench.leaderboard.store import from_paper
from fgbench.protocol import MEDIA, tasks
from fgbench.published import published
from fgbench.scoring.comparison import compare

NAME = "<script>alert(1)</script> & \"Co\" 'x'"
NOTES = "<img src=x onerror=alert(1)>\"'&amp;</dd><h1>x"
TASKS = [task.code for task in tasks(MEDIA)]
PAPER_ITEMS = ("11,788", "8,000", "18,350", "12,000")
BUDGET = 300_000
"""Bytes of the first load."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A benchmark, and entries: two hostile, one of two media alone."""
    folder = tmp_path_factory.mktemp("store")
    ground, results = write_ground(folder / "ground"), folder / "results"
    hand(results, ground, 1)
    hand(results, ground, 2, method=NAME, notes=NOTES, deviations={"<b>": NOTES})
    hand(results, ground, 3, method="=cmd|calc", authors=NAME, extra_data=[NAME], backbone=NAME)
    vectors = write_vectors(folder / "4.npz", 4, MEDIA[:2])
    card = write_card(folder / "4.yaml", method="Two media")
    given = with_card(vectors, card, load_benchmark(ground), results)
    hand_in(score(given, load_benchmark(ground)), results)
    return folder


@pytest.fixture(scope="module")
def scored(store):
    built = build_site(store / "results", store / "ground", store / "site")
    assert (built.methods, built.scored) == (4, 4)
    return built.folder


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """The board of a fresh checkout: no entries, only what papers print."""
    folder = tmp_path_factory.mktemp("printed")
    (folder / "results").mkdir()
    return build_site(folder / "results", DEFAULT, folder / "site").folder


@pytest.fixture(scope="module", params=["scored", "printed"])
def site(request):
    return request.getfixturevalue(request.param)


def files(folder):
    return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file()}


def read(path):
    return json.loads(path.read_text("utf-8"), parse_constant=pytest.fail)


def pages(folder):
    return {name: html.parse(str(p)) for name, p in files(folder).items() if name.endswith(".html")}


def test_equal_entries_give_equal_bytes(store, scored, tmp_path):
    again = build_site(store / "results", store / "ground", tmp_path / "again")
    assert {n: p.read_bytes() for n, p in files(scored).items()} == {
        n: p.read_bytes() for n, p in files(again.folder).items()
    }


def test_every_link_leads_somewhere(site):
    known = pages(site)
    ids = {name: set(page.xpath("//@id")) for name, page in known.items()}
    followed = 0
    for name, page in known.items():
        for link in page.xpath("//@href | //@src"):
            if link.startswith("https://example.org/"):
                continue
            path, _, fragment = link.partition("#")
            target = (site / name).parent / path if path else site / name
            assert target.is_file(), f"{name}: {link}"
            inside = str(target.resolve().relative_to(site.resolve()))
            assert not fragment or fragment in ids[inside], f"{name}: {link}"
            followed += 1
    assert followed > 500


def test_ids_are_said_once_and_every_page_can_be_reached(site):
    known, seen, waiting = pages(site), set(), ["index.html"]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for link in known[name].xpath("//a/@href"):
            path = ((site / name).parent / link.partition("#")[0]).resolve()
            if path.suffix == ".html" and path.is_relative_to(site.resolve()):
                inside = str(path.relative_to(site.resolve()))
                if inside not in seen:
                    waiting.append(inside)
    assert seen == set(known)
    for name, page in known.items():
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids)), name


def test_nothing_that_a_card_says_is_markup(scored):
    for name, page in pages(scored).items():
        assert page.xpath("//script/@src"), name
        assert all(not element.text for element in page.xpath("//script"))
        assert not page.xpath("//img | //iframe | //style | //b/b"), name
        attributes = {str(a) for e in page.iter() if isinstance(e.tag, str) for a in e.attrib}
        assert not {a for a in attributes if a.startswith("on") or a == "style"}, name
        policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
        assert policy
        assert "default-src 'self'" in policy[0]
        assert "unsafe" not in policy[0]
    (page,) = [page for page in pages(scored).values() if page.findtext(".//h1") == NAME]
    said = [element.text_content().strip() for element in page.xpath("//dd")]
    assert NOTES in said
    assert f"<b>: {NOTES}" in " ".join(said)


def test_the_first_load_is_small(site):
    names = ["index.html", *(f"static/{n}" for n in ("board.css", "figures.css", "board.js"))]
    assert sum(len((site / name).read_bytes()) for name in names) < BUDGET


def test_a_fresh_board_shows_every_published_method_and_number(printed):
    rows = {row["name"]: row for row in read(printed / MARK)["views"]["paper"]}
    own = [method for method in published() if not method.variant_of]
    assert set(rows) == {method.name for method in own}
    for method in own:
        cells = rows[method.name]["cells"]
        assert {c: cells[c]["map"] for c in method.values} == {
            code: float(value.value) for code, value in method.values.items()
        }
        assert all(cell["ci95"] is None for cell in cells.values())
        assert set(rows[method.name]["notes"]) == {note.key for note in method.notes}
    assert rows["SCAN"]["cells"]["i2t"]["rank"] is None
    text = html.parse(str(printed / "methods/fgcrossnet.html")).getroot().text_content()
    for variant in published():
        assert variant.variant_of != "fgcrossnet" or variant.name in text


def test_places_are_counted_from_the_values(printed):
    rows = [r for r in read(printed / MARK)["views"]["paper"] if len(r["cells"]) == 18]
    for code in (task.code for task in tasks()):
        values = [row["cells"][code]["map"] for row in rows]
        for row, value in zip(rows, values, strict=True):
            assert row["cells"][code]["rank"] == 1 + sum(other > value for other in values)


def test_the_page_prints_the_places_in_order(printed):
    table = html.parse(str(printed / "index.html")).xpath("//table[@id='paper-bimodal']")[0]
    shown = [row.xpath("./td")[0].text_content() for row in table.xpath(".//tbody/tr")]
    assert shown == [str(place) for place in range(1, 11)]
    apart = html.parse(str(printed / "index.html")).xpath("//table[@id='paper-apart']")[0]
    assert [th.xpath("./a")[0].text for th in apart.xpath(".//tbody//th")] == ["GXN", "SCAN"]


def test_conventions_are_never_in_one_ranking(store, scored):
    views = read(scored / MARK)["views"]
    assert views["paper"] == []
    records = {
        record["submission"]["meta"]["method"]: record
        for record in map(read, (store / "results").glob("*/*/record.json"))
    }
    for key, column in (("sound", "map"), ("included", "map_self_included")):
        for row in views[key]:
            scores = records[row["name"]]["scores"]
            for code in (code for code in scores if code.endswith("all")):
                assert row["cells"][code]["map"] == pytest.approx(scores[code][column], abs=1e-9)
    page = html.parse(str(scored / "index.html"))
    tables = {t.get("id"): t for t in page.xpath("//table[@class='sort']")}
    first = {
        name: tables[name].xpath(".//tbody/tr[1]/td[@data-v]/@data-v")
        for name in ("sound-multimodal", "included-multimodal")
    }
    assert first["sound-multimodal"] != first["included-multimodal"]


def test_an_incomplete_entry_has_no_rank(scored):
    rows = {row["name"]: row for row in read(scored / MARK)["views"]["sound"]}
    assert {cell["rank"] for cell in rows["Two media"]["cells"].values()} == {None}
    assert all(c["rank"] for n, r in rows.items() if n != "Two media" for c in r["cells"].values())


def test_the_first_two_differ_as_compare_says(store, scored):
    folders = {
        read(path)["submission"]["meta"]["method"]: path.parent
        for path in (store / "results").glob("*/*/record.json")
    }
    ground = load_benchmark(store / "ground")
    for task in tasks():
        twin = read(scored / f"api/tasks/{task.code}.json")
        ranked = [row["name"] for row in twin["views"]["sound"] if row["rank"]]
        runs = [folders[name] for name in ranked[:2]]
        found = compare(*runs, benchmark=ground, draws=20)
        (row,) = [row for row in found.tasks if row.key == task.code]
        said = twin["first_two"]["sound"]
        assert said["difference"] == pytest.approx(row.test.difference, abs=1e-9)
        assert said["p_holm"] == pytest.approx(row.p_holm)
        assert said["verdict"] == row.verdict.value


@pytest.mark.parametrize("stem", ["sound-t2a", "sound-averages", "included-multimodal"])
def test_a_table_is_the_same_in_all_its_files(scored, stem):
    rows = read(scored / f"tables/{stem}.json")["rows"]
    with (scored / f"tables/{stem}.csv").open(newline="") as file:
        read_rows = list(csv.DictReader(file))
    assert len(rows) == len(read_rows) >= 3
    for row, line in zip(rows, read_rows, strict=True):
        for name, value in row.items():
            if isinstance(value, float):
                assert float(line[name]) == value
            elif value is None:
                assert line[name] == ""
            else:
                assert line[name].removeprefix("'") == str(value)
    latex = (scored / f"tables/{stem}.tex").read_text()
    assert latex.count(r" \\") == len(rows) + 1


def test_the_feed_is_atom_without_a_clock(site):
    feed = ElementTree.parse(site / "feed.xml").getroot()
    atom = "{http://www.w3.org/2005/Atom}"
    assert feed.tag == f"{atom}feed"
    entries = feed.findall(f"{atom}entry")
    assert len(entries) == len(read(site / MARK)["views"]["paper"]) or len(entries) == 4
    ids = [element.text for element in feed.iter(f"{atom}id")]
    assert len(ids) == len(set(ids))
    dates = {element.text for element in feed.iter(f"{atom}updated")}
    assert {date[4:] for date in dates} == {"-01-01T00:00:00Z"}
    for entry in entries:
        assert (site / entry.find(f"{atom}link").get("href")).is_file()


def test_a_faulty_entry_stops_the_build_and_leaves_the_old_site(store, scored, tmp_path):
    results = Path(shutil.copytree(store / "results", tmp_path / "results"))
    site = Path(shutil.copytree(scored, tmp_path / "site"))
    (entry,) = (results / "alpha").iterdir()
    edit(entry, lambda d: d["scores"]["i2t"].update(map=0.999))
    before = {n: p.read_bytes() for n, p in files(site).items()}
    with pytest.raises(FaultyInput, match="FG-L143"):
        build_site(results, store / "ground", site)
    assert {n: p.read_bytes() for n, p in files(site).items()} == before
    assert {p.name for p in tmp_path.iterdir()} == {"results", "site"}


def test_a_folder_that_is_no_site_is_not_replaced(store, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(InputError) as caught:
        build_site(store / "results", store / "ground", tmp_path)
    assert caught.value.code == "FG-L160"
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_old_site_is_replaced_as_a_whole(store, scored, tmp_path):
    site = Path(shutil.copytree(scored, tmp_path / "site"))
    (site / "methods" / "gone.html").write_text("old")
    build_site(store / "results", store / "ground", site)
    assert set(files(site)) == set(files(scored))


def test_a_rerun_shares_the_page_of_what_was_printed(store, tmp_path):
    ground = store / "ground"
    hand(tmp_path / "results", ground, 6, method="FGCrossNet")
    benchmark = load_benchmark(ground)
    report = check_results(tmp_path / "results", benchmark)
    assert report.ok
    board = make_board(benchmark, report.entries, report.sums, from_paper())
    (method,) = [m for m in board.methods if m.name == "FGCrossNet"]
    assert method.entry
    assert method.printed
    rows = {rules: board.views[rules].find(method) for rules in Rules}
    assert rows[Rules.PAPER].status == "from-paper"
    assert rows[Rules.SOUND].status == "self-reported"
    assert rows[Rules.PAPER].cells["i2t"].value == 0.21
    assert rows[Rules.SOUND].cells["i2t"].value != 0.21
    assert rows[Rules.PAPER].year == 2019
    assert rows[Rules.PAPER].card["backbone"] == "ResNet50"
    assert rows[Rules.SOUND].year == 2024
    assert "backbone" not in rows[Rules.SOUND].card


def test_the_command_builds_what_the_library_builds(store, scored, tmp_path, capsys):
    options = ["--results", store / "results", "--benchmark", store / "ground"]
    main(list(map(str, ["leaderboard", "build", *options, "--out", tmp_path / "s", "--json"])))
    said = json.loads(capsys.readouterr().out)
    found = files(tmp_path / "s")
    assert (said["methods"], said["scored"], said["files"]) == (4, 4, len(found))
    assert said["bytes"] == sum(p.stat().st_size for p in found.values())
    assert {n: p.read_bytes() for n, p in found.items()} == {
        n: p.read_bytes() for n, p in files(scored).items()
    }
    with pytest.raises(SystemExit) as end:
        main(["leaderboard", "build", "--results", str(tmp_path / "none"), "--out", str(tmp_path)])
    assert end.value.code == 2
    assert "FG-L160" in capsys.readouterr().err


def test_the_history_climbs_year_by_year(printed):
    steps = read(printed / "api/history.json")["views"]["paper"]
    assert set(steps) == {task.code for task in tasks()} | {"bimodal", "multimodal"}
    rows = {row["slug"]: row for row in read(printed / MARK)["views"]["paper"]}
    whole = [row for row in rows.values() if len(row["cells"]) == 18]
    for measure, found in steps.items():
        assert [s["year"] for s in found] == sorted({s["year"] for s in found})
        for step in found:
            before = [r for r in whole if r["year"] <= step["year"]]
            assert step["map"] == max(row["cells"][measure]["map"] for row in before)
            assert step["map"] == rows[step["method"]]["cells"][measure]["map"]


def test_no_printed_number_stands_without_its_notes(printed):
    for name in ("index.html", "tasks/index.html", "tasks/v2all.html", "methods/gsph.html"):
        page = html.parse(str(printed / name))
        marked = {link.partition("#")[2] for link in page.xpath("//sup/a/@href")}
        assert marked == set(page.xpath("//ul[@class='notes']/li/@id"))
    swapped = html.parse(str(printed / "tasks/v2all.html")).xpath(
        "//li[@id='note-columns-swapped']"
    )
    assert len(swapped) == 1


def test_species_are_listed_hardest_first_with_what_they_are_taken_for(scored):
    page = html.fromstring((scored / "species/index.html").read_text())
    rows = page.xpath("//table[@id='species']/tbody/tr")
    means = [float(row.xpath("td[1]/@data-v")[0]) for row in rows]
    assert len(rows) == 8
    assert means == sorted(means)
    document = read(scored / "api/species/index.json")["species"]
    assert [s["name"] for s in document] == [row.xpath("string(th)") for row in rows]
    assert all(abs(s["map"]["mean"] - m) < 1e-5 for s, m in zip(document, means, strict=True))
    assert any(s["confused"] for s in document)


def test_a_species_page_says_how_hard_it_is_and_who_finds_it(scored):
    """The mean of what the records of the ranked entries say of the species."""
    board = read(scored / MARK)["views"]["sound"]
    ranked = [row["slug"] for row in board if row["cells"].get("bimodal", {}).get("rank")]
    folders = [next((scored.parent / "results" / slug).iterdir()) for slug in ranked]
    records = {slug: read(f / "record.json") for slug, f in zip(ranked, folders, strict=True)}
    assert len(records) == 3
    for listed in read(scored / "api/species/index.json")["species"]:
        label = str(listed["label"])
        said = read(scored / f"api/species/{label}.json")
        of = {s: {c: r["scores"][c]["classes"][label] for c in TASKS} for s, r in records.items()}
        assert said["items"] == dict.fromkeys(["image", "text", "video", "audio"], 3)
        assert said["maps"] == pytest.approx(
            {c: fmean(of[s][c] for s in of) for c in TASKS}, abs=1e-5
        )
        bimodal = {s: fmean(found[c] for c in TASKS if "all" not in c) for s, found in of.items()}
        assert said["entries"] == pytest.approx(bimodal, abs=1e-5)
        assert listed["map"]["mean"] == pytest.approx(fmean(bimodal.values()), abs=1e-5)
        confused: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for record in records.values():
            for score_ in record["scores"].values():
                for asked, shown, queries in score_["confused"]:
                    if asked == listed["label"]:
                        confused[shown][0] += queries
                    if shown == listed["label"]:
                        confused[asked][1] += queries
        found = {n["label"]: [n["asked"], n["answered"]] for n in said["neighbours"]}
        assert found == {label: pytest.approx(both) for label, both in confused.items()}


def test_without_scored_entries_species_have_items_and_no_numbers(printed):
    said = read(printed / "api/species/0.json")
    assert said["name"] == "Black-footed Albatross"
    assert said["maps"] is None
    assert said["items"]["text"] == 20
    page = html.parse(str(printed / "species/index.html"))
    assert not page.xpath("//table[@id='species']//th[@data-key='mean']")
    assert len(page.xpath("//table[@id='species']/tbody/tr")) == 200


def test_comparisons_say_what_compare_says(store, scored):
    folders = {p.parent.name: p for p in (store / "results").glob("*/*/")}
    ground = load_benchmark(store / "ground")
    listed = read(scored / "api/compare.json")
    assert listed["views"] == {"sound": listed["views"]["sound"]}
    slugs = listed["views"]["sound"]
    assert len(slugs) == 3
    for one in slugs:
        document = read(scored / f"api/compare/{one}.json")["views"]["sound"]
        script = (scored / f"compare/{one}.js").read_text()
        assert json.loads(script.removeprefix("receive(").removesuffix(");\n"))["views"] == {
            "sound": document
        }
        assert set(document["others"]) == set(slugs) - {one}
        for other, measures in document["others"].items():
            found = compare(folders[one], folders[other], benchmark=ground)
            rows = {row.key: row for row in (*found.tasks, *found.means)}
            assert set(measures) == set(document["own"]) == set(rows)
            for key, values in measures.items():
                said = dict(zip(listed["columns"], values, strict=True))
                row = rows[key]
                assert document["own"][key] == pytest.approx(row.a, abs=1e-9)
                assert said["map"] == pytest.approx(row.b, abs=1e-9)
                assert said["difference"] == pytest.approx(row.test.difference, abs=1e-9)
                bounds = (row.test.interval.low, row.test.interval.high)
                assert (said["low"], said["high"]) == pytest.approx(bounds, abs=1e-9)
                assert said["p_holm"] == pytest.approx(row.p_holm)
                assert said["verdict"] == row.verdict.value


def test_printed_numbers_are_compared_without_a_test(printed):
    own = {slug(method.name): method for method in published() if not method.variant_of}
    document = read(printed / "api/compare/fgcrossnet.json")["views"]
    assert set(document) == {"paper"}
    assert set(document["paper"]["others"]) <= set(own) - {"fgcrossnet"}
    for other, measures in document["paper"]["others"].items():
        for task in tasks():
            values = (own[key].values[task.code].value for key in ("fgcrossnet", other))
            one, two = map(float, values)
            assert measures[task.code] == [two, pytest.approx(one - two), None, None, None, None]


def test_the_data_page_says_what_the_audit_says(store, scored, printed):
    assert read(printed / "data/audit.json") == audit(DEFAULT)
    text = html.parse(str(printed / "data.html")).getroot().text_content()
    assert "1,957 of 6,000" in text
    assert "name no licences" in text
    document = read(printed / "data/croissant.json")
    assert document["name"] == DEFAULT
    assert len(document["distribution"]) == 4
    assert (printed / "data/CARD.md").read_text().startswith("# PKU FG-XMedia")
    rows = html.parse(str(scored / "data.html")).xpath("//table[@id='items']/tbody/tr")
    assert [[c.text_content() for c in row] for row in rows] == [
        [m.value, "24", "0", "24", "8", paper] for m, paper in zip(MEDIA, PAPER_ITEMS, strict=True)
    ]


def test_licences_are_counted_by_name(tmp_path):
    ground = write_ground(tmp_path / "ground")
    path = ground / "text.parquet"
    known = pq.read_table(path)
    licences = ["CC-BY-4.0", "CC0-1.0", "all rights reserved"] * 8
    for name, column in {
        "licence": licences,
        "licence_url": [f"https://example.org/{n % 2}" for n in range(24)],
        "redistributable": [licence != "all rights reserved" for licence in licences],
    }.items():
        known = known.append_column(name, pa.array(column))
    pq.write_table(known, path)
    (tmp_path / "results").mkdir()
    site = build_site(tmp_path / "results", ground, tmp_path / "site").folder
    rows = html.parse(str(site / "data.html")).xpath("//table[@id='licences']/tbody/tr")
    assert sorted([c.text_content() for c in row] for row in rows) == [
        ["text", "CC-BY-4.0", "8", "yes"],
        ["text", "CC0-1.0", "8", "yes"],
        ["text", "all rights reserved", "8", "no"],
    ]
    labels = known["label"].to_pylist()
    of_first = Counter(c for label, c in zip(labels, licences, strict=True) if label == 0)
    assert read(site / "api/species/0.json")["licences"] == dict(of_first)
