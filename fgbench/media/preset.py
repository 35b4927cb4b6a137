"""How each medium is prepared: the paper's way and the released code's, as values.

The paper is He, Peng, Xie (ACM MM 2019), section 3.2; the released code is the repository
PKU-ICST-MIPL/FGCrossNet_ACMMM2019 at 26ee4de. Where the paper is silent and the code is not, both
presets follow the code; where both are silent, the choice is named as ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType


class Form(StrEnum):
    """Whose way of doing it: what the paper says, or what the code does that was released."""

    PAPER = "paper"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class ImageRule:
    """A picture is resized to a square of ``resize`` pixels, its ratio of sides not kept, and then
    cropped to ``crop`` (main.py: Resize((512, 512)), CenterCrop(448); paper: 448 × 448).

    ``augment``: in training the crop lies anywhere and is mirrored half the time. Ours: neither the
    paper nor the code augments pictures.
    """

    resize: int = 512
    crop: int = 448
    augment: bool = False


@dataclass(frozen=True, slots=True)
class TextRule:
    """A text becomes ``length`` indices: 0 is padding, then ``alphabet`` from 1 on.

    ``fold``: white space is folded and capitals are lowered first. ``spare_tokens``: two more
    indices, for a space and for any other character; else both are dropped. ``last_line``: only
    the last line counts. ``shifts``: how many zeros position shift may put in front, each as
    likely as any other, although the end may be lost; None: as many as lose nothing.
    """

    alphabet: str
    fold: bool
    spare_tokens: bool
    last_line: bool
    shifts: tuple[int, ...] | None
    length: int = 448

    @property
    def tokens(self) -> int:
        """How many indices there are, padding included: rows of an embedding."""
        return 1 + len(self.alphabet) + 2 * self.spare_tokens


class Drawing(StrEnum):
    """How decibels become a picture.

    ARRAY: each pixel is the mean of what it covers, in grey, from ``range_db`` below the loudest
    to the loudest. SPECSHOW: as matplotlib draws ``librosa.display.specshow`` on 700 × 700 pixels,
    each what is at its centre, in the colours magma, from the quietest to the loudest.
    """

    ARRAY = "array"
    SPECSHOW = "specshow"


@dataclass(frozen=True, slots=True)
class AudioRule:
    """A sound becomes a square picture of its spectrogram, whatever its length.

    Short-time Fourier transform with a Hann window, ``window`` and ``hop`` in samples at ``rate``
    (librosa's defaults: the paper names librosa and no figures). Decibels relative to the loudest,
    at most ``range_db`` down. ``framing``: the drawn picture is resized and cropped like a
    photograph, but never augmented.
    """

    drawing: Drawing
    framing: ImageRule
    rate: int = 22_050
    window: int = 2048
    hop: int = 512
    range_db: float = 80.0


@dataclass(frozen=True, slots=True)
class Preset:
    """The rules of one form. Video frames are prepared as images are."""

    image: ImageRule
    text: TextRule
    audio: AudioRule

    def at_side(self, side: int) -> Preset:
        """The same at another size of pictures; 448 is its own. Texts keep their length."""
        audio = replace(self.audio, framing=_at_side(self.audio.framing, side))
        return replace(self, image=_at_side(self.image, side), audio=audio)


def _at_side(rule: ImageRule, side: int) -> ImageRule:
    return replace(rule, resize=round(rule.resize * side / rule.crop), crop=side)


_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

PAPER = Preset(
    image=ImageRule(),
    # Section 3.2 quantises characters as Conneau et al. (EACL 2017), section 3: 66 characters,
    # padding, space and unknown. Lower case is ours: their dictionary has no capitals. Position
    # shift is that of Zheng et al. (arXiv 1711.05535): zeros at both ends instead of at one.
    text=TextRule(
        alphabet=_LETTERS + "-,;.!?:'\"/|_#$%^&*~`+=<>()[]{}",
        fold=True,
        spare_tokens=True,
        last_line=False,
        shifts=None,
    ),
    # Section 3.2: 448 × 448, independent of the length. Grey and the fixed range are ours.
    audio=AudioRule(Drawing.ARRAY, framing=ImageRule(resize=448, crop=448)),
)
RELEASED = Preset(
    image=ImageRule(),
    # dataset.py: 68 characters without space and capitals, the text not lowered; the last line
    # overwrites those before it; randrange(0, 10, 2) zeros are put in front, then 448 are kept.
    # Its network's embedding has 70 rows: the last is never used.
    text=TextRule(
        alphabet=_LETTERS + ",;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{}",
        fold=False,
        spare_tokens=False,
        last_line=True,
        shifts=(0, 2, 4, 6, 8),
    ),
    # audio.py draws, main.py treats the drawing as an image, which cuts 6.25 % off each side: the
    # ends of the clip, the lowest and the highest frequencies.
    audio=AudioRule(Drawing.SPECSHOW, framing=ImageRule()),
)

PRESETS: Mapping[Form, Preset] = MappingProxyType({Form.PAPER: PAPER, Form.RELEASED: RELEASED})
