"""An upload under way."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .disk import create, sync_folder, writing
from .errors import DiskFull, Incomplete, TooLarge
from .layout import Part
from .settings import Limits


@dataclass(slots=True)
class Incoming:
    """An upload under way: counted and hashed as it comes, and gone at the end unless kept.

    For one thread at a time.
    """

    folder: Path
    limits: Limits
    sizes: dict[Part, int] = field(default_factory=lambda: dict.fromkeys(Part, 0))
    _hashes: dict[Part, Any] = field(default_factory=lambda: {p: hashlib.sha256() for p in Part})
    _files: dict[Part, IO[bytes]] = field(default_factory=dict)

    def write(self, part: Part, data: bytes) -> None:
        """Take more of a file. Raises ``TooLarge`` or ``DiskFull``; then nothing can be kept."""
        limit = self.limits.upload if part is Part.SUBMISSION else self.limits.card
        self.sizes[part] += len(data)
        if self.sizes[part] > limit:
            raise TooLarge(part, limit)
        with writing():
            disk = os.statvfs(self.folder)
            if disk.f_bavail * disk.f_frsize - len(data) < self.limits.spare:
                raise DiskFull
            if part not in self._files:
                self._files[part] = os.fdopen(create(self.folder / part), "wb", buffering=0)
            view = memoryview(data)
            while view:  # a raw file may take a part, as before the disk is full
                view = view[self._files[part].write(view) :]
        self._hashes[part].update(data)

    @property
    def size(self) -> int:
        """Bytes of both files."""
        return sum(self.sizes.values())

    @property
    def sha256(self) -> str:
        """Of the two files' SHA-256, one after the other."""
        both = "".join(self._hashes[part].hexdigest() for part in Part)
        return hashlib.sha256(both.encode()).hexdigest()

    def seal(self) -> None:
        """Bring both files to the disk. Raises ``Incomplete`` where one is missing or empty."""
        for part in Part:
            if not self.sizes[part]:
                raise Incomplete(part)
        with writing():
            for file in self._files.values():
                os.fsync(file.fileno())
            sync_folder(self.folder)

    def discard(self) -> None:
        """Close the files, and delete what still lies where it came in."""
        for file in self._files.values():
            file.close()
        shutil.rmtree(self.folder, ignore_errors=True)
