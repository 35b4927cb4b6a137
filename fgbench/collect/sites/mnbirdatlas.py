"""The Minnesota Breeding Bird Atlas: a long account of each bird that breeds in Minnesota."""

from __future__ import annotations

from fgbench.collect.sites.guide import Guide, plain_name
from fgbench.collect.sites.outline import Layout


class MnBirdAtlas(Guide):
    """Known from a program of 2017 (addresses) and the atlas' own guide to its accounts (parts).

    ``/species/common-name/``, without apostrophes. An account has about 2,000 words under Overview,
    Minnesota Breeding Distribution, Breeding Habitat, Population Abundance, Conservation and
    Literature Cited. What markup bears the headings is not known.
    """

    name = "mnbirdatlas"
    home = "https://mnbirdatlas.org/"
    hosts = ("mnbirdatlas.org", "www.mnbirdatlas.org")
    terms_url = "https://mnbirdatlas.org/"
    publisher = (
        "Pfannmuller et al. 2017, The Minnesota Breeding Bird Atlas, University of Minnesota"
    )
    note = "The 249 species that were found breeding in Minnesota, 2009-2013. No terms were found."
    folder = "/species/"
    no_species = frozenset({"", "page"})
    layout = Layout(
        sections=frozenset(
            {
                *("overview", "minnesota breeding bird distribution", "breeding habitat"),
                *("minnesota breeding distribution", "population abundance", "conservation"),
            }
        ),
        leave=frozenset({"literature cited", "references", "range maps", "interactive map"}),
        skip=frozenset({"wp-caption", "wp-caption-text", "gallery"}),
    )

    def addresses(self, name: str) -> tuple[str, ...]:
        """The species' account."""
        slug = plain_name(name).lower().replace(" ", "-")
        return (f"https://mnbirdatlas.org/species/{slug}/",)
