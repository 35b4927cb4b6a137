"""Makes the released tables from their sources: ``python -m fgbench.manifests.build --data DIR``.

Made by hand, and so not here: resolutions.csv, published.csv and published_notes.csv.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fgbench.benchmark_json import SHIPPED_TAXONOMY
from fgbench.errors import FgbenchError

from .fgxmedia import ID, TITLE, build_fgxmedia
from .sample import build_sample, write_sample
from .sources import Sources
from .species import build_species, read_resolutions

HERE = Path(__file__).parent
BY_HAND = ("LICENSE-DATA", "published.csv", "published_notes.csv", "resolutions.csv")
SAMPLE = "sample_submission.npz"
SUMS = "SHA256SUMS"


def build(data: Path, out: Path) -> None:
    """Write every made file into ``out``: equal sources give equal bytes in one environment."""
    sources = Sources(data)
    species = build_species(sources, read_resolutions(HERE / "resolutions.csv"))
    tables = build_fgxmedia(sources)
    folder = out / ID
    folder.mkdir(parents=True, exist_ok=True)
    _write(species, out / "species.parquet")
    for medium, table in tables.items():
        _write(table, folder / f"{medium}.parquet")
    spec = {
        "id": ID,
        "title": TITLE,
        "split_column": "split",
        "taxonomy": SHIPPED_TAXONOMY,
        "files": {f"{m}.parquet": _sha256(folder / f"{m}.parquet") for m in tables},
    }
    (folder / "benchmark.json").write_text(json.dumps(spec, indent=2) + "\n", "utf-8")
    write_sample(build_sample(tables, species), out / SAMPLE)


def write_sums(out: Path) -> None:
    """Write SHA256SUMS over the files of ``out``, made ones and those made by hand."""
    made = ["species.parquet", SAMPLE, *(f"{ID}/{p.name}" for p in (out / ID).iterdir())]
    names = sorted({*made, *BY_HAND})
    lines = [f"{_sha256(out / name)}  {name}\n" for name in names]
    (out / SUMS).write_text("".join(lines), "utf-8")


def differences(built: Path, released: Path) -> list[str]:
    """The made files whose content differs: rows, schema and arrays, not bytes.

    Bytes may differ between versions of pyarrow and zlib, which write their own into the files.
    """
    found = []
    for path in sorted(p for p in built.rglob("*") if p.is_file()):
        name = path.relative_to(built).as_posix()
        other = released / name
        if not other.is_file() or not _same(path, other):
            found.append(name)
    return found


def _same(one: Path, other: Path) -> bool:
    if one.suffix == ".parquet":
        return bool(pq.read_table(one).equals(pq.read_table(other), check_metadata=True))
    if one.suffix == ".npz":
        with np.load(one) as a, np.load(other) as b:
            same_type = all(a[k].dtype == b[k].dtype for k in a.files if k in b.files)
            return a.files == b.files and same_type and all((a[k] == b[k]).all() for k in a.files)
    specs = [json.loads(path.read_text("utf-8")) for path in (one, other)]
    for spec in specs:
        spec["files"] = sorted(spec["files"])
    return bool(specs[0] == specs[1])


def _write(table: pa.Table, path: Path) -> None:
    pq.write_table(
        table, path, compression="zstd", compression_level=19, row_group_size=65536, version="2.6"
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The folder of source files (docs/manifests.md).",
)
@click.option("--check", is_flag=True, help="Write nothing; compare with what is released.")
def main(data: Path, check: bool) -> None:
    """Make the released tables from their sources, in place."""
    try:
        if check:
            with TemporaryDirectory() as scratch:
                build(data, Path(scratch))
                found = differences(Path(scratch), HERE)
        else:
            build(data, HERE)
            write_sums(HERE)
            found = []
    except FgbenchError as error:
        click.echo(f"\n{error}\n", err=True)
        sys.exit(error.exit_code)
    if found:
        click.echo(f"Differ from a rebuild: {', '.join(found)}. Build again without --check.")
        sys.exit(2)
    click.echo("The released tables equal a rebuild." if check else f"Wrote {HERE}.")


if __name__ == "__main__":
    main()
