"""Mutated files: a fault or a submission, never a crash, a hang or memory without bound."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgbench.submission import check
from fgbench.submission.card import read_card
from fgbench.submission.findings import Findings
from fgbench.submission.strings import decode

QUICK = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def try_bytes(benchmark, tmp_path):
    path = tmp_path / "fuzz.npz"

    def run(data):
        """Check the bytes; whatever passes must be usable to the last number."""
        path.write_bytes(data)
        report = check(path, benchmark)
        assert report.ok == (report.submission is not None)
        if report.submission:
            for medium in report.submission.media:
                if report.submission.space == "common":
                    assert np.isfinite(report.submission.embedding(medium)).all()
            report.submission.close()
        return report

    return run


def mutate(data, edits):
    data = bytearray(data)
    for place, value, length in edits:
        at = place % max(1, len(data))
        data[at : at + length] = value
    return bytes(data)


EDITS = st.lists(
    st.tuples(
        st.integers(0, 2**20),
        st.binary(max_size=8) | st.sampled_from([b"\xff" * 4, b"\0" * 8, b"PK\5\6", b"PK\1\2"]),
        st.integers(0, 8),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("space", ["members", "score_members"])
def test_mutated_bytes(space, deflated, request, save, try_bytes):
    whole = save(request.getfixturevalue(space), deflated=deflated).read_bytes()
    assert try_bytes(whole).submission

    @QUICK
    @given(EDITS)
    def run(edits):
        try_bytes(mutate(whole, edits))

    run()


def test_mutated_directory(save, members, try_bytes):
    """Edits fall on the headers of the zip alone, where the lies are."""
    whole = save(members).read_bytes()
    start = whole.index(b"PK\1\2")

    @QUICK
    @given(EDITS)
    def run(edits):
        try_bytes(whole[:start] + mutate(whole[start:], edits))

    run()


def test_mutated_array_headers(members, npy, try_bytes):
    """Edits fall on an .npy header, under a checksum that is right."""
    data = {name: npy(array) for name, array in members.items()}

    @QUICK
    @given(st.sampled_from(sorted(data)), EDITS)
    def run(name, edits):
        changed = mutate(data[name][:128], edits) + data[name][128:]
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for member, content in (data | {name: changed}).items():
                archive.writestr(f"{member}.npy", content)
        try_bytes(stream.getvalue())

    run()


@QUICK
@given(st.binary(max_size=400))
def test_bytes_at_random(try_bytes, data):
    try_bytes(data)


TYPES = [np.float32, np.float64, np.float16, np.int64, np.complex64, np.bool_, "U3", "S3", "M8[s]"]


@st.composite
def arrays(draw):
    """An array of any type and of up to three dimensions, its bytes a repeated pattern."""
    kind = np.dtype(draw(st.sampled_from(TYPES)))
    shape = draw(st.lists(st.sampled_from([0, 1, 3, 5, 7]), max_size=3))
    pattern = draw(st.binary(min_size=1, max_size=64))
    size = int(np.prod(shape, dtype=int)) * kind.itemsize
    data = (pattern * (size // len(pattern) + 1))[:size]
    return np.frombuffer(data, kind).reshape(shape)


@QUICK
@given(st.data(), arrays())
def test_arrays_of_any_type_and_shape(members, save, benchmark, data, array):
    """Any member may be any array: what passes has the type and shape of the contract."""
    name = data.draw(st.sampled_from([*members, "codes", "meta", "scores/text_text"]))
    report = check(save(members | {name: array}), benchmark)
    if report.ok and name in ("image", "text", "video", "audio"):
        assert array.dtype.kind in "fi"
        assert report.submission.embedding(name).shape == array.shape


@QUICK
@given(
    st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3), min_size=1, max_size=5)
)
def test_strings_of_any_code_points(rows):
    """What is not refused is what Python itself would take for these characters."""
    strings, refused = decode(np.array(rows, dtype=np.uint32).view("U3").reshape(-1))
    bad = {int(row) for found in refused.values() for row in found}
    for number, row in enumerate(rows):
        if number in bad:
            assert strings[number] == ""
            continue
        text = "".join(map(chr, row)).rstrip("\0")
        assert strings[number] == text
        text.encode("utf-8")
        assert "\0" not in text


@QUICK
@given(
    st.text(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ).map(lambda value: json.dumps({"year": value}))
)
def test_cards_are_strict_json(text):
    findings = Findings()
    card = read_card(text, findings)
    if not findings:
        json.dumps(card, allow_nan=False, ensure_ascii=False).encode("utf-8")


LIMITED = """
import resource, sys
from fgbench.errors import FaultyInput
from fgbench.submission import read_submission
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_submission(sys.argv[1])
except FaultyInput as error:
    print(*(f.code for f in error.faults))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


def test_memory_stays_under_its_bound(tmp_path):
    """Half a gigabyte of numbers in a small file is read in a fraction of it."""
    path = tmp_path / "wide.npz"
    rows, width = 30_000, 4_096
    ids = np.char.add("i/", np.arange(rows).astype("U8"))
    row = np.ones(width, np.float32).tobytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for medium in ("image", "text"):
            with archive.open(f"{medium}_ids.npy", "w") as member:
                np.lib.format.write_array(member, ids)
        for medium, count in (("image", rows), ("text", 10)):
            with archive.open(f"{medium}.npy", "w", force_zip64=True) as member:
                header = {"descr": "<f4", "fortran_order": False, "shape": (count, width)}
                np.lib.format.write_array_header_1_0(member, header)
                for _ in range(0, count, 10):
                    member.write(row * 10)
    assert path.stat().st_size < 8 << 20
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=True
    )
    codes, grown = done.stdout.splitlines()
    assert codes == "FG-S023"
    assert int(grown) < 200  # MiB, of 469 unpacked
