"""All About Birds (Cornell Lab of Ornithology): three pages a species, North America only."""

from __future__ import annotations

from fgbench.collect.sites.guide import Guide, plain_name
from fgbench.collect.sites.outline import Layout


class AllAboutBirds(Guide):
    """Known from programs that read the site, 2017 to 2026, not from its pages.

    ``/guide/Common_Name/{overview,id,lifehistory}``, without apostrophes; an unknown name leads to
    a search page. Identification: ``article[aria-label]`` (2024). Life history: sections labelled
    by ``aria-labelledby`` (2021), ``div`` elements with headings before (2017). Overview: "Basic
    Description", "Find This Bird", "Cool Facts", "Backyard Tips". The captions of the photos
    (``div.annotation-txt``, 2023) are no paragraphs.
    """

    name = "allaboutbirds"
    home = "https://www.allaboutbirds.org/"
    hosts = ("www.allaboutbirds.org", "allaboutbirds.org")
    terms_url = "https://www.birds.cornell.edu/home/terms-of-use"
    publisher = "Cornell Lab of Ornithology"
    requests_per_query = 3
    note = (
        "About 600 species of North America. Cornell meets browser-like user agents with a "
        "challenge, and an honest one with the page."
    )
    folder = "/guide/"
    no_species = frozenset({"", "search", "browse"})
    layout = Layout(
        sections=frozenset(
            {
                *("basic description", "find this bird", "cool facts", "backyard tips"),
                *("size & shape", "color pattern", "behavior", "habitat", "relative size"),
                *("regional differences", "food", "nesting", "conservation", "life history"),
            }
        ),
        leave=frozenset(
            {
                *("similar species", "other names", "measurements", "compare with similar species"),
                *("need id help", "credits"),
            }
        ),
        skip=frozenset({"annotation-txt"}),
    )

    def addresses(self, name: str) -> tuple[str, ...]:
        """The three pages; the overview is there for every species."""
        start = f"https://www.allaboutbirds.org/guide/{plain_name(name).replace(' ', '_')}"
        return tuple(f"{start}/{part}" for part in ("overview", "id", "lifehistory"))
