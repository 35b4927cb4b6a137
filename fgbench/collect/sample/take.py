"""What was recorded in the sample world: which scene, how long, in what file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from fgbench.collect.sample.encoder import Format, encode
from fgbench.collect.sample.miniature import Answer
from fgbench.collect.sample.prose import Bird, bird_named
from fgbench.collect.sample.scene import Scene, behind, hear
from fgbench.collect.sample.song import Sound


@dataclass(frozen=True, slots=True)
class Take:
    """A sound as a site has it; takes of one bird, individual, scene, length and rate are alike.

    ``gain`` and ``skip_s`` make a copy: louder, and with another beginning.
    """

    bird: Bird
    individual: int
    length_s: float
    scene: Scene = Scene.SONG
    kin: bool = False
    """Whether its look-alike is heard in it too."""
    format: Format = Format.MP3
    rate: int = 22_050
    gain: float = 1.0
    skip_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Seconds that the file holds."""
        return self.length_s - self.skip_s

    def sound(self) -> Sound:
        """What is in the file [samples], full scale 1."""
        heard = hear(self.bird, self.individual, self.scene, self.length_s, self.rate)
        if self.kin:
            behind(heard, bird_named(self.bird.kin), self.individual, self.rate)
        return self.gain * heard[round(self.skip_s * self.rate) :]

    def answer(self) -> Answer:
        """The file as a server sends it."""
        return Answer(200, content(self), {"Content-Type": self.format.content_type})


@dataclass(frozen=True, slots=True)
class Numbered:
    """Something in a collection of sounds; ``place``: its place among those of its species."""

    bird: Bird
    place: int

    @property
    def number(self) -> int:
        """Its id: nine digits, larger than any real one."""
        return 990_000_000 + 1000 * self.bird.cub_id + self.place


@cache
def content(take: Take) -> bytes:
    """The file of a take."""
    return encode(take.sound(), take.rate, take.format, take.bird.name)
