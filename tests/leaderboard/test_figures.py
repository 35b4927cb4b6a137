"""Figures: what is drawn lies where its axis says, is nobody's markup, and is all in the rows."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from importlib import resources
from itertools import chain, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.leaderboard.figures import (
    Estimate,
    Figure,
    Pair,
    Point,
    Scale,
    difficulty,
    heat_grid,
    heat_legend,
    interval_bar,
    progress,
    quality,
    ranking,
    significance_matrix,
    species_strip,
)
from fgbench.protocol import Medium, tasks
from fgbench.species import species

HOSTILE = "<script>\"&'</script>]]>\x00\x1b\u202egnp.\u2066" + "x" * 10_000
WHOLE = {task.code: 0.05 * i for i, task in enumerate(tasks(), 1)}
CSS = resources.files("fgbench.leaderboard").joinpath("static/figures.css").read_text("utf-8")

Make = Callable[[str, float], Figure]
MADE: dict[str, Make] = {
    "heat": lambda name, value: heat_grid(name, {**WHOLE, "i2t": value}),
    "small heat": lambda name, value: heat_grid(name, {"a2all": value}, printed=False),
    "bar": lambda name, value: interval_bar(Estimate(name, value, (0.1, 0.4), 1), Scale(0, 1, 0.5)),
    "ranking": lambda name, value: ranking(name, [Estimate(name, value, (0.1, 0.4), 1)]),
    "matrix": lambda name, value: significance_matrix(
        name, [name, "B"], {(0, 1): Pair(value, (-0.1, 0.4), 0.01)}
    ),
    "strip": lambda name, value: species_strip(name, [(name, value), ("B", 0.5)]),
    "difficulty": lambda name, value: difficulty(name, [Point(name, value, 0.2)], name, "T→I"),
    "quality": lambda name, value: quality(name, [Point(name, 1e6, value)]),
    "progress": lambda name, value: progress(name, [Point(name, 2019, value)]),
}
EMPTY: dict[str, Callable[[], Figure]] = {
    "ranking": lambda: ranking("I→T", []),
    "matrix": lambda: significance_matrix("I→T", [], {}),
    "strip": lambda: species_strip("I→T", []),
    "difficulty": lambda: difficulty("D", [], "I→T", "T→I"),
    "quality": lambda: quality("Q", []),
    "progress": lambda: progress("P", []),
}


def parse(figure: Figure) -> ElementTree.Element:
    return ElementTree.fromstring(figure.svg)


def having(root: ElementTree.Element, look: str) -> list[ElementTree.Element]:
    return [e for e in root.iter() if look in e.get("class", "").split()]


def percent(element: ElementTree.Element, name: str) -> float:
    text = element.get(name, "")
    assert text.endswith("%")
    return float(text[:-1])


def title(element: ElementTree.Element) -> str:
    return element.findtext("title", "")


def read_axis(ticks: list[tuple[float, float]]) -> Callable[[float], float]:
    """From a place to a number, by the first and the last number written on the axis."""
    (a, low), (b, high) = ticks[0], ticks[-1]
    return lambda place: low + (place - a) * (high - low) / (b - a)


def across(root: ElementTree.Element) -> Callable[[float], float]:
    ticks = [e for e in having(root, "tick") if e.get("x", "").endswith("%")]
    return read_axis([(percent(e, "x"), float(e.text or "")) for e in ticks])


def up(root: ElementTree.Element) -> Callable[[float], float]:
    ticks = [e for e in having(root, "tick") if not e.get("x", "").endswith("%")]
    return read_axis([(float(e.get("y", "")) - 4, float(e.text or "")) for e in ticks])


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_figure_is_an_image_with_a_name_and_no_more_than_shapes(make: Make) -> None:
    figure = make("FGCrossNet", 0.3)
    root = parse(figure)
    assert root.get("role") == "img"
    assert root[0].tag == "title"
    assert root[0].text == figure.title
    shapes = {"svg", "g", "path", "line", "rect", "circle", "text", "title", "desc"}
    assert {e.tag for e in root.iter()} <= shapes
    assert not [
        name for e in root.iter() for name in e.attrib if re.match("on|href|style|id", name)
    ]
    assert all(len(row) == len(figure.header) for row in figure.rows)
    assert make("FGCrossNet", 0.3) == figure
    alone = make("FGCrossNet", 0.3).svg.replace("FGCrossNet", "MHTN")
    assert alone == make("MHTN", 0.3).svg


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_hostile_name_is_text_and_short(make: Make) -> None:
    figure = make(HOSTILE, 0.3)
    plain = make("Name", 0.3)
    root = parse(figure)
    assert [e.tag for e in root.iter()] == [e.tag for e in parse(plain).iter()]
    said = "".join(root.itertext())
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", said)
    assert "<script>" not in figure.svg
    assert len(figure.svg) < len(plain.svg) + 1_500


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_what_is_no_number_is_refused(make: Make, value: float) -> None:
    with pytest.raises(ValueError, match=str(value)):
        make("FGCrossNet", value)


@pytest.mark.parametrize("make", EMPTY.values(), ids=EMPTY)
def test_nothing_says_that_it_is_nothing(make: Callable[[], Figure]) -> None:
    figure = make()
    assert figure.rows == ()
    assert [e.text for e in parse(figure).iter("text")] == ["No values yet"]


def test_a_cell_of_the_grid_is_where_its_media_are() -> None:
    root = parse(heat_grid("FGCrossNet", WHOLE))
    texts = [
        (float(e.get("x", "")), float(e.get("y", "")), e.text or "") for e in root.iter("text")
    ]
    columns = {text: x for x, y, text in texts if y < 13 and text in "ITVA"}
    rows = {text: y for x, y, text in texts if x < 12 and text in "ITVA"}
    printed = {(x, y): text for x, y, text in texts if text.startswith(".")}
    assert len(printed) == 16
    for task in tasks():
        query = task.query.code.upper()
        gallery = task.gallery.code.upper() if task.gallery else query
        text = printed[columns[gallery], rows[query]]
        assert float(text) == pytest.approx(WHOLE[task.code])
        assert f"{task.title} {text}" in {title(e) for e in root.iter("g")}


def test_a_darker_cell_is_a_greater_value_and_the_top_is_the_last_shade() -> None:
    root = parse(heat_grid("FGCrossNet", WHOLE, top=0.8))
    by_value = sorted((float(title(e).split()[-1]), e.get("class", "")) for e in root.iter("g"))
    shades = [shade for _, shade in by_value]
    assert shades == sorted(shades)
    assert set(shades) == {f"c{i}" for i in range(7)}
    legend = parse(heat_legend(0.8))
    bounds = {e.get("class"): [float(t) for t in title(e).split(" to ")] for e in legend.iter("g")}
    for value, shade in by_value:
        low, high = bounds[shade]
        assert low - 5e-4 <= value <= high + 5e-4


@pytest.mark.parametrize("printed", [True, False])
def test_a_missing_cell_is_hatched_and_a_row_without_a_value(printed: bool) -> None:
    figure = heat_grid("SCAN", {"i2t": 0.05, "t2i": 0.0}, printed=printed)
    root = parse(figure)
    if printed:
        assert [title(e) for e in root.iter("g")] == ["I→T .050", "T→I .000"]
    else:
        assert title(root) == "MAP of SCAN: I→T .050, T→I .000"
        (boxes,) = having(root, "c0")
        assert boxes.get("d", "").count("M") == 2
    (gaps,) = having(root, "gap")
    assert title(gaps) == "no value"
    assert [row for row in figure.rows if row[1] is not None] == [("I→T", 0.05), ("T→I", 0.0)]
    assert len(figure.rows) == 16
    boxes = [
        [float(rect.get(name, "")) for name in ("x", "y", "width", "height")]
        for rect in root.iter("rect")
    ]
    lines = re.findall(r"M([\d.]+) ([\d.]+)l([\d.]+)-([\d.]+)", gaps.get("d", ""))
    middles = [(float(x) + float(a) / 2, float(y) - float(b) / 2) for x, y, a, b in lines]
    assert len(middles) >= 14
    for x, y, width, height in boxes:
        assert not [m for m in middles if x < m[0] < x + width and y < m[1] < y + height]


def test_a_grid_takes_the_tasks_of_its_media_alone() -> None:
    two = [Medium.IMAGE, Medium.TEXT]
    assert len(heat_grid("CCL", {"i2t": 0.2}, media=two).rows) == 4
    with pytest.raises(ValueError, match="i2v"):
        heat_grid("CCL", {"i2v": 0.2}, media=two)
    with pytest.raises(ValueError, match=r"0\.9"):
        heat_grid("CCL", {"i2t": 0.9}, top=0.8)


ESTIMATES = [
    Estimate("First", 0.412, (0.39, 0.44), 1),
    Estimate("Second", 0.405, (0.37, 0.42), 1),
    Estimate("Printed", 0.385),
    Estimate("Third", 0.173, (0.15, 0.2), 3),
    Estimate("One species", 0.1, None, 4),
]


def test_the_ranked_plot_puts_dots_and_intervals_at_their_values() -> None:
    figure = ranking("T→A", ESTIMATES)
    root = parse(figure)
    value = across(root)
    lines = [e for e in root.iter("g") if e.find("rect") is not None]
    assert len(lines) == len(ESTIMATES)
    heights = [float(e.find("rect").get("y")) for e in lines]  # type: ignore[union-attr, arg-type]
    assert heights == sorted(set(heights))
    for line, estimate in zip(lines, ESTIMATES, strict=True):
        mark = having(line, "dot" if estimate.rank else "open")
        assert value(percent(mark[0], "cx")) == pytest.approx(estimate.value, abs=1e-4)
        assert bool(having(line, "ring")) is (estimate.rank == 1)
        spans = [(percent(e, "x1"), percent(e, "x2")) for e in having(line, "span")]
        found = [bound for span in spans for bound in map(value, span)]
        assert found == pytest.approx(list(estimate.interval or ()), abs=1e-4)
        assert having(line, "value")[0].text == f"{estimate.value:.3f}"[1:]
        assert estimate.name in [e.text for e in line.iter("text")]
    assert title(lines[0]) == "First: .412 [.390 .440], rank 1"
    assert title(lines[2]) == "Printed: .385, not ranked"
    assert figure.rows[0] == (1, "First", 0.412, 0.39, 0.44)
    assert figure.rows[2] == (None, "Printed", 0.385, None, None)


def test_more_methods_than_there_is_room_for_are_counted_and_in_the_rows() -> None:
    figure = ranking("T→A", [Estimate(f"M{i}", 0.5 - i / 1000) for i in range(75)])
    assert len(having(parse(figure), "open")) == 60
    assert "60 of 75 methods" in figure.caption
    assert len(figure.rows) == 75


def test_bars_on_one_scale_compare() -> None:
    scale = Scale.around([0.1, 0.4], 0.1)
    low, high = (parse(interval_bar(Estimate("A", v, (v, v)), scale)) for v in (0.1, 0.4))
    places = [percent(having(root, "open")[0], "cx") for root in (low, high)]
    assert places == pytest.approx([0, 100])
    with pytest.raises(ValueError, match=r"0\.5"):
        interval_bar(Estimate("A", 0.2, (0.1, 0.5)), scale)


def test_signs_of_the_matrix_say_the_verdict_of_row_against_column() -> None:
    names = ["A", "B", "Printed", "D"]
    pairs = {
        (0, 1): Pair(0.01, (-0.01, 0.03), 0.6),
        (0, 3): Pair(0.2, (0.1, 0.3), 0.001),
        (1, 3): Pair(-0.1, None, 0.05),
    }
    figure = significance_matrix("T→A", names, pairs)
    root = parse(figure)
    ticks = [e for e in having(root, "tick") if float(e.get("y", "")) < 12]
    columns = {float(e.get("x", "")): names[int(e.text or "") - 1] for e in ticks}
    rows = {
        float(e.get("y", "")): (e.findall("text")[-1].text, float(e.get("height", "")))
        for e in root.iter("svg")
        if e is not root
    }
    signs = {}
    for text in having(root, "sign"):
        y = float(text.get("y", ""))
        (row,) = [name for at, (name, height) in rows.items() if at < y < at + height]
        for x, sign in zip(text.get("x", "").split(), text.text or "", strict=True):
            signs[row, columns[float(x)]] = sign
    expected = {("A", "B"): "=", ("A", "D"): "+", ("B", "D"): "−"}
    turned = {"=": "=", "+": "−", "−": "+"}
    assert signs == expected | {(b, a): turned[sign] for (a, b), sign in expected.items()}
    looks = {title(e): e.get("class") for e in root.iter("rect")}
    assert looks["A is better than 4 D"] == "better"
    assert looks["D is worse than 1 A"] == "worse"
    assert figure.rows[2] == ("B", "D", -0.1, None, None, 0.05, "b better")


def test_neighbours_of_one_verdict_are_one_box_over_all_of_them() -> None:
    pairs = {(i, j): Pair(0.1, None, 0.001) for i in range(5) for j in range(i + 1, 5)}
    root = parse(significance_matrix("T→A", list("ABCDE"), pairs))
    boxes = {title(e): e for e in root.iter("rect")}
    box = boxes["B is better than 3 C to 5 E"]
    signs = having(root, "sign")[1]
    inside = [
        sign
        for x, sign in zip(signs.get("x", "").split(), signs.text or "", strict=True)
        if 0 < float(x) - float(box.get("x", "")) < float(box.get("width", ""))
    ]
    assert inside == ["+"] * 3


def test_a_bar_of_the_strip_is_as_high_as_its_species_value() -> None:
    values = [("Ovenbird", 0.25), ("Mallard", 0.5), ("Cardinal", 0.0)]

    def bars(figure: Figure) -> list[tuple[str, int, int]]:
        found = parse(figure).iter("path")
        drawn = [(title(e), re.fullmatch(r"M(\d+) 0V(\d+)", e.get("d", ""))) for e in found]
        return [(said, int(m[1]), int(m[2])) for said, m in drawn if m]

    in_order = species_strip("I→T", values, top=0.5)
    assert bars(in_order) == [
        ("Ovenbird .250", 0, 50),
        ("Mallard .500", 1, 100),
        ("Cardinal .000", 2, 0),
    ]
    best_first = species_strip("I→T", values, top=0.5, best_first=True)
    assert [said.split()[0] for said, _, _ in bars(best_first)] == [
        "Mallard",
        "Ovenbird",
        "Cardinal",
    ]
    assert [row[0] for row in best_first.rows] == ["Mallard", "Ovenbird", "Cardinal"]
    with pytest.raises(ValueError, match=r"0\.5"):
        species_strip("I→T", values, top=0.4)


def test_points_lie_at_their_numbers() -> None:
    points = [Point("A", 0.12, 0.31), Point("B", 0.5, 0.02)]
    root = parse(difficulty("Species", points, "I→T", "T→I"))
    x, y = across(root), up(root)
    dots = {title(e): e for e in root.iter("circle")}
    for point, said in zip(points, ("A: .120, .310", "B: .500, .020"), strict=True):
        dot = dots[said]
        assert x(percent(dot, "cx")) == pytest.approx(point.x, abs=1e-4)
        assert y(float(dot.get("cy", ""))) == pytest.approx(point.y, abs=1e-4)
    (line,) = having(root, "even")
    ends = [(line.get(f"x{i}", "").rstrip("%"), line.get(f"y{i}", "")) for i in (1, 2)]
    for at, down in ends:
        assert x(float(at)) == pytest.approx(y(float(down)))


def test_parameters_lie_by_powers_of_ten() -> None:
    root = parse(quality("Q", [Point("A", 2.5e5, 0.2), Point("B", 4e7, 0.4)]))
    sizes = {"k": 1e3, "M": 1e6, "B": 1e9}
    ticks = [e for e in having(root, "tick") if e.get("x", "").endswith("%")]
    known = [(percent(e, "x"), float(e.text[:-1]) * sizes[e.text[-1]]) for e in ticks if e.text]
    power = read_axis([(place, math.log10(value)) for place, value in known])
    places = {title(e): percent(e, "cx") for e in root.iter("circle")}
    assert set(places) == {"A: 250k, .200", "B: 40M, .400"}
    assert 10 ** power(places["A: 250k, .200"]) == pytest.approx(2.5e5, rel=1e-3)
    assert 10 ** power(places["B: 40M, .400"]) == pytest.approx(4e7, rel=1e-3)
    with pytest.raises(ValueError, match="powers of ten"):
        quality("Q", [Point("A", 0, 0.2)])


def test_the_line_of_the_best_so_far_never_falls_and_passes_through_every_record() -> None:
    points = [
        Point("Later but worse", 2023, 0.3),
        Point("First", 2019, 0.21),
        Point("Beside the first", 2019, 0.11),
        Point("Best", 2022, 0.34),
        Point("Second", 2021, 0.25),
    ]
    root = parse(progress("T→A", points))
    x, y = across(root), up(root)
    ways = [
        [(x(percent(e, f"x{i}")), y(float(e.get(f"y{i}", "")))) for i in (1, 2)]
        for e in having(root, "step")
    ]
    corners = [ways[0][0], *(end for _, end in ways)]
    years = [2019, 2021, 2021, 2022, 2022, 2023, 2023]
    maps = [0.21, 0.21, 0.25, 0.25, 0.34, 0.34, 0.34]
    expected = chain.from_iterable(zip(years, maps, strict=True))
    assert list(chain.from_iterable(corners)) == pytest.approx(list(expected), abs=1e-3)
    assert all(end == pytest.approx(start) for (_, end), (start, _) in pairwise(ways))
    (records,) = having(root, "dot")
    assert [title(e).split(":")[0] for e in records] == ["First", "Second", "Best"]
    assert [e.text for e in having(root, "name")] == ["Best", "Second", "First"]


def test_names_in_each_other_s_way_give_way_to_the_best() -> None:
    root = parse(progress("T→A", [Point("A", 2019, 0.4), Point("B", 2020, 0.401)]))
    assert [e.text for e in having(root, "name")] == ["B"]


def test_figures_are_small() -> None:
    assert len(heat_grid("FGCrossNet", WHOLE).svg.encode()) < 2_500
    assert len(heat_grid("FGCrossNet", {"i2t": 0.05}).svg.encode()) < 2_500
    assert len(interval_bar(ESTIMATES[0], Scale(0, 1, 0.5)).svg.encode()) < 400
    values = [(kind.name, (kind.label * 37 % 200) / 200) for kind in species()]
    assert len(species_strip("I→T", values).svg.encode()) < 13_200
    names = [f"Method {i}" for i in range(60)]
    pairs = {(i, j): Pair(0.1, None, 0.5) for i in range(60) for j in range(i + 1, 60)}
    assert len(significance_matrix("T→A", names, pairs).svg.encode()) < 70_000


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.sampled_from([0.1, 2.0]))
def test_a_scale_holds_its_values_between_the_first_and_the_last_number_on_it(
    values: list[float], span: float
) -> None:
    scale = Scale.around(values, span)
    assert scale.high - scale.low >= span * (1 - 1e-6)
    places = [scale.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in places)
    assert scale.ticks[0] == pytest.approx(scale.low, abs=1e-9)
    assert scale.ticks[-1] == pytest.approx(scale.high, abs=1e-9)
    assert 2 <= len(scale.ticks) <= 8
    if min(values) >= 0:
        assert scale.low >= 0


@given(st.lists(st.floats(1e-3, 1e15), min_size=1))
def test_a_scale_by_powers_holds_its_values(values: list[float]) -> None:
    scale = Scale.powers(values)
    assert all(-1e-6 <= scale.place(value) <= 100 + 1e-6 for value in values)
    assert scale.ticks[0] == scale.low
    assert scale.ticks[-1] == pytest.approx(scale.high)


def colours(scheme: int) -> dict[str, str]:
    found = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", CSS)
    return {name: pair[scheme] for name, *pair in found}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * sign for sign in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_shades_differ_in_lightness_alone_and_numbers_on_them_are_legible(scheme: int) -> None:
    known = colours(scheme)
    shades = [known[f"c{i}"] for i in range(7)]
    lightness = [luminance(shade) for shade in shades]
    assert lightness == sorted(lightness, reverse=scheme == 0)
    assert min(contrast(a, b) for a, b in pairwise(shades)) > 1.15
    for i, shade in enumerate(shades):
        assert contrast(shade, known[f"i{i}"]) >= 4.5
    page, ink = [("#fff", "#1c2126"), ("#14171b", "#e6e9ec")][scheme]
    assert contrast(known["mark"], page) >= 3
    for verdict in ("better", "worse"):
        assert contrast(known[verdict], ink) >= 4.5


def drawn() -> Iterator[ElementTree.Element]:
    for make in MADE.values():
        yield from parse(make("FGCrossNet", 0.3)).iter()
    yield from parse(heat_legend()).iter()
    yield from parse(ranking("T→A", ESTIMATES)).iter()
    yield from parse(heat_grid("SCAN", {})).iter()


def test_the_style_sheet_knows_every_class_and_defines_every_colour() -> None:
    used = {look for e in drawn() for look in e.get("class", "").split()}
    assert used - {"start", "small"} <= set(re.findall(r"\.([a-z]\w*)", CSS))
    assert set(re.findall(r"var\(--([\w-]+)\)", CSS)) <= set(colours(0))
    assert "url(" not in CSS
    assert "@import" not in CSS
