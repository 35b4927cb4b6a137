"""A folder on this machine, as the value of an option."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from fgbench.remote import local_path, show_url


class LocalFolder(click.Path):
    """A folder that is worked in; an address such as s3://bucket/name is refused, not made."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        context: click.Context | None,
    ) -> Any:
        folder = local_path(os.fspath(value))
        if folder is None:
            name = show_url(os.fspath(value))
            why = "work is kept in a folder of this machine, so that it can go on"
            self.fail(f"{name} is an address: {why}. Name a folder, and copy it.", param, context)
        return super().convert(str(folder), param, context)
