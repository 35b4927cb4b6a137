"""Croissant 1.1 metadata (mlcommons.org/croissant), with the responsible-AI vocabulary 1.0.

Generated from the schema and the audit: files with their hashes, every column of every table, and
the RAI fields for which there is a fact to tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from fgbench.dataset.contents import ABSENT_FILE, REJECTED_FILE
from fgbench.dataset.remarks import PAPER, biases, counted, limits
from fgbench.dataset.rendering import address
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED, Column
from fgbench.protocol import Medium

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_TERMS = (
    "arrayShape citeAs column containedIn equivalentProperty extract field fileObject fileProperty "
    "fileSet format includes isArray isLiveDataset jsonPath key md5 parentField path recordSet "
    "references regex repeated replace samplingRate separator source subField transform"
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "description": {"@container": "@language"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _TERMS.split()},
}


def croissant(document: dict[str, Any], folder: Path) -> str:
    """croissant.json for the tables in a folder, from their audit. Equal tables, equal text."""
    tables = {
        name: columns
        for name, columns in _tables()
        if name in document["files"] and (folder / name).is_file()
    }
    period = document["retrieved"]
    lines = [line for lines in document["licences"].values() for line in lines or ()]
    metadata = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": document["benchmark"]["id"],
        "description": _description(document),
        "citeAs": PAPER,
        "license": sorted({url for line in lines if (url := address(line["url"]))}),
        "datePublished": period and period[1],
        "version": period and ".".join(str(int(part)) for part in period[1].split("-")),
        "inLanguage": "en",
        "keywords": ["cross-media retrieval", "fine-grained", "birds", *document["counts"]],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": name,
                "contentSize": f"{(folder / name).stat().st_size} B",
                "encodingFormat": "application/x-parquet",
                "sha256": document["files"][name],
            }
            for name in tables
        ],
        "recordSet": [_record_set(name, columns) for name, columns in tables.items()],
        **{f"rai:{name}": value for name, value in _rai(document).items()},
    }
    told = {key: value for key, value in metadata.items() if value not in (None, [])}
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _tables() -> Iterator[tuple[str, Sequence[Column]]]:
    for medium, columns in MANIFESTS.items():
        yield f"{medium}.parquet", columns
    yield REJECTED_FILE, REJECTED
    yield ABSENT_FILE, ABSENT


def _record_set(name: str, columns: Sequence[Column]) -> dict[str, Any]:
    table = name.removesuffix(".parquet")
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": f"The rows of {name}, one an instance.",
        "field": [_field(table, name, column) for column in columns],
    }


def _field(table: str, file: str, column: Column) -> dict[str, Any]:
    """A column; of a struct, a field for each of its parts within one for the whole."""
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "description": column.meaning,
    }
    source = {"fileObject": {"@id": file}, "extract": {"column": column.name}}
    if pa.types.is_struct(column.type):
        parts = [
            {
                "@type": "cr:Field",
                "@id": f"{table}/{column.name}/{part.name}",
                "name": part.name,
                "dataType": _data_type(part.type),
                "source": {**source, "transform": {"jsonPath": f"$.{part.name}"}},
            }
            for part in column.type
        ]
        return {**field, "subField": parts}
    if pa.types.is_list(column.type):
        shape = {
            "isArray": True,
            "arrayShape": "-1",
            "dataType": _data_type(column.type.value_type),
        }
        return {**field, **shape, "source": source}
    return {**field, "dataType": _data_type(column.type), "source": source}


def _data_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pa.types.is_floating(kind) else "sc:Text"


def _description(document: dict[str, Any]) -> str:
    counts = document["counts"]
    held = ", ".join(counted(counts[m]["kept"], m) for m in counts) or "no items"
    return (
        f"{document['benchmark']['title']}: {held}, labelled with the classes of CUB-200-2011, for "
        "fine-grained cross-media retrieval. One row an item, with its source and licence."
    )


def _rai(document: dict[str, Any]) -> Mapping[str, Any]:
    """The fields of the vocabulary for which the tables hold a fact."""
    counts = document["counts"]
    sites = sorted({site for of_medium in counts.values() for site in of_medium["sites"]})
    told: dict[str, Any] = {
        "dataCollectionMissingData": _missing(document),
        "dataCollectionTimeframe": document["retrieved"],
        "dataPreprocessingProtocol": [
            f"{n:,} instances of {medium} were rejected: rejected.parquet has the reason of each."
            for medium in counts
            if (n := counts[medium]["rejected"])
        ],
        "dataBiases": biases(document),
        "dataLimitations": limits(document),
        "dataUseCases": ["Training and evaluation of fine-grained cross-media retrieval."],
    }
    if sites:
        told["dataCollection"] = f"Read from {', '.join(sites)}. Each row names its page."
        told["dataCollectionType"] = ["Web Scraping", "Secondary Data Analysis"]
        told["personalSensitiveInformation"] = [
            "author and attribution name people, as their licences ask."
        ]
    if Medium.TEXT in counts and document["collected"]:
        told["dataAnnotationProtocol"] = [
            "The label is the class that the source was asked for. No person annotated the texts."
        ]
    return told


def _missing(document: dict[str, Any]) -> str | None:
    """What sites do not have, and what could not be had."""
    absent = sum(
        n
        for sites in (document["absent"] or {}).values()
        for reasons in sites.values()
        for n in reasons.values()
    )
    failed = sum(counts["failed"] or 0 for counts in document["counts"].values())
    if not absent and not failed:
        return None
    return f"Not there at a site: {absent:,} (absent.parquet). Could not be had: {failed:,}."
