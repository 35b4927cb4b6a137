"""Connected components, against a walk by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fgbench.dataset.components import components


def reached(start: int, links: list[tuple[int, int]]) -> set[int]:
    found, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for link in links:
            if here in link:
                new = set(link) - found
                found |= new
                todo += new
    return found


@given(st.data())
def test_an_item_is_named_by_the_smallest_id_that_it_reaches(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 9))
    ids = data.draw(st.permutations([f"i{k}" for k in range(n)]))
    ends = st.integers(0, max(0, n - 1))
    links = data.draw(st.lists(st.tuples(ends, ends), max_size=8)) if n else []
    expected = [min(ids[j] for j in reached(i, links)) for i in range(n)]
    assert components(ids, links) == expected
