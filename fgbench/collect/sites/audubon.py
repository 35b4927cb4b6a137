"""The Audubon guide to North American birds: one page a species."""

from __future__ import annotations

from fgbench.collect.sites.guide import Guide, plain_name
from fgbench.collect.sites.outline import Layout


class Audubon(Guide):
    """Known from programs that read the site, 2020 to 2023, not from its pages.

    ``/field-guide/bird/common-name`` in lower case. The markup changed at least twice (``h5``
    headings and a table of facts in 2020, ``h2`` in 2021, a redesign since); the headings "Feeding
    Behavior", "Eggs", "Young", "Diet", "Nesting" and the fact "Habitat" stayed. A page that is not
    there says "Sorry, We Couldn't Find That Page" in its title (2021).
    """

    name = "audubon"
    home = "https://www.audubon.org/bird-guide"
    hosts = ("www.audubon.org", "audubon.org")
    terms_url = "https://www.audubon.org/terms-use"
    publisher = "National Audubon Society"
    note = "About 800 species of North America."
    folder = "/field-guide/bird/"
    no_species = frozenset({""})
    layout = Layout(
        sections=frozenset(
            {
                *("at a glance", "description", "habitat", "feeding behavior", "eggs", "young"),
                *("diet", "nesting", "migration", "conservation status", "songs and calls"),
            }
        ),
        leave=frozenset({"explore similar birds", "similar birds", "news & updates"}),
        lead=True,
        tables=True,
    )

    def addresses(self, name: str) -> tuple[str, ...]:
        """The species' page."""
        slug = plain_name(name).lower().replace(" ", "-")
        return (f"https://www.audubon.org/field-guide/bird/{slug}",)
