"""What is no instance is rejected with its own reason; what describes a bird is kept."""

import pytest

from fgbench.collect.clean.filters import (
    Reason,
    is_dropped_section,
    is_mojibake,
    reason_against,
)


@pytest.mark.parametrize(
    "text",
    [
        "The adult is 81 cm long, with a wingspan of 195–203 cm (77–80 in) and weighs 2.4–4.1 kg.",
        "Males share the incubation with females; both subscribe, as it were, to one nest.",
        "The young follow us with a short call and sign in flight by spreading the tail.",
        "It is found in Texas, see map. Its thin tsee-tsee may refer to danger.",
        "Species in this genus share this order with the swifts and have long, pale wings.",
        "Three subspecies are known: C. c. cristata (Linnaeus, 1758), C. c. bromia, C. c. semplei.",
        "For such a small bird it flies far: in autumn birds cross the sea without a rest.",
        "Photographs show that the white spot fades with age; maps of its range are uncertain.",
        "Kept in 1999 under the copyright page of its field guide, the bird's first sketch shows a"
        " young male. It has a grey head, a white belly and two wing bars, and sings in high trees."
        " It builds the nest in a fork, lays four eggs and feeds its young on insects and berries.",
        "For most of the year, adults at sea are silent and see little of each other.",
        "This site is used by many pairs, and the advertisement call is given at its entrance.",
        "Males return to the top of the tree and, in terms of use of habitat, prefer open woods.",
        "A male's beak is red. Click calls are given by both sexes when they feed at sea.",
    ],
)
def test_bird_prose_is_kept(text: str) -> None:
    assert reason_against(text) is None


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason.MARKUP, "The bird is {{convert|30|cm}} long and is found in the north of America."),
        (Reason.MARKUP, "It is [[Larus|a gull]] of the coast and nests on islands in the north."),
        (Reason.MARKUP, ".mw-parser-output .bird { color: red; } a bird of the coasts and islands"),
        (Reason.MARKUP, "function show(bird) { document.write(bird); } the bird is shown on a map"),
        (
            Reason.MARKUP,
            "a.bird:hover { color: #fff; width: 30px; } the bird of the northern coast",
        ),
        (Reason.HATNOTE, "For other uses, see Cardinal (disambiguation)."),
        (Reason.HATNOTE, "This article is about the bird. For the aircraft, see P-61 Nighthawk."),
        (Reason.HATNOTE, '"Black gull" redirects here. It is not the same as the black tern.'),
        (Reason.HATNOTE, "Not to be confused with the great black-backed gull of the Atlantic."),
        (Reason.HATNOTE, "Main article: List of birds of the northern coasts and the islands"),
        (
            Reason.HATNOTE,
            "This section needs additional citations, or it may be removed.",
        ),
        (Reason.CAPTION, "Photo by a visitor: an adult male with food for its young at the nest"),
        (Reason.CAPTION, "Figure 3. The breeding range of the species in the northern counties."),
        (Reason.CAPTION, "Image: an adult male at the nest with food for its young in the spring"),
        (
            Reason.REFERENCE,
            "Smith, J. A., & Brown, C. (1998). The birds of the coast. Auk 115: 1–12.",
        ),
        (Reason.REFERENCE, "The Birds of the Coast. Second edition, 1998. ISBN 0-12-345678-9."),
        (Reason.REFERENCE, '"The gull of the north". Bird notes. Retrieved 12 May 2018.'),
        (Reason.BOILERPLATE, "We use cookies to give you the best experience on this bird site."),
        (Reason.BOILERPLATE, "© 2018 The Bird Society. All rights reserved."),
        (Reason.BOILERPLATE, "Copyright The Bird Society and its members, in all countries"),
        (Reason.BOILERPLATE, "This site will soon be moved to a new address. Look for us there!"),
        (Reason.BOILERPLATE, "Subscribe to our newsletter for more about the birds near you."),
        (
            Reason.BOILERPLATE,
            "A subscription is required to read the rest of this species account.",
        ),
        (Reason.BOILERPLATE, "Share this page on Facebook"),
        (
            Reason.BOILERPLATE,
            "Enter your email to receive news of birds, and how you can help them.",
        ),
        (Reason.BOILERPLATE, "Download our free bird guide app"),
        (Reason.HATNOTE, "This article is a stub. You can help the wiki by expanding it."),
        (Reason.TOO_SHORT, "A small grey bird."),
        (Reason.TOO_SHORT, ""),
        (Reason.NOT_PROSE, "12.5 13.7 14.2 15.8 16.1 17.0 18.3 19.9 20.4 21.1"),
        (Reason.NOT_PROSE, "AMKE BBAL LAAL SOAL GBAN CRAU LEAU PAAU RHAU BRBL RWBL"),
        (
            Reason.NOT_PROSE,
            "Home | Birds | Mammals | Fish | Reptiles and amphibians | About the park",
        ),
        (Reason.NOT_PROSE, "Kingdom: Animalia Phylum: Chordata Class: Aves Order: Charadriiformes"),
        (
            Reason.NOT_ENGLISH,
            "El ave vive en la costa y come peces que captura en aguas profundas.",
        ),
    ],
)
def test_each_reason_has_its_cases(reason: Reason, text: str) -> None:
    assert reason_against(text) == reason


def test_39_characters_are_too_short_and_40_are_not() -> None:
    text = "The bird is small and has a black head and"
    assert reason_against(text[:39]) == Reason.TOO_SHORT
    assert reason_against(text[:40]) is None


@pytest.mark.parametrize(
    "section",
    ["References", "See also", " EXTERNAL LINKS ", "Literature Cited", "Notes[1]", "Caption"],
)
def test_sections_that_hold_no_text_on_the_species(section: str) -> None:
    assert is_dropped_section(section)


@pytest.mark.parametrize("section", ["", "Description", "Notes on behaviour", "Sounds and calls"])
def test_sections_that_do(section: str) -> None:
    assert not is_dropped_section(section)


@pytest.mark.parametrize("wrong", ["latin-1", "cp1252"])
@pytest.mark.parametrize(
    "text", ["a piñon café", "30 °C – “cold”", "the bird’s nest", "mōlī and kāhuli"]
)
def test_utf8_read_in_another_charset_is_seen(text: str, wrong: str) -> None:
    assert not is_mojibake(text)
    assert is_mojibake(text.encode().decode(wrong, errors="replace"))


def test_windows_1252_read_as_latin_1_or_utf8_is_seen() -> None:
    stored = "the bird’s nest".encode("cp1252")
    assert is_mojibake(stored.decode("latin-1"))
    assert is_mojibake(stored.decode("utf-8", errors="replace"))


@pytest.mark.parametrize(
    "unit", ["a", "A. ", "{a:", "|", "redirects ", "subscribe ", "ISBN ", ". ", "{" + ":;" * 99]
)
def test_hostile_repetition_ends(unit: str) -> None:
    assert reason_against(unit * 50_000) is not None
