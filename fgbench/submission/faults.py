"""Everything that can be wrong with a submission: the one table of the codes.

docs/submission.md lists it; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The stable code of each fault; a code is never given a second meaning."""

    NO_FILE = "FG-S001"
    NO_ARCHIVE = "FG-S002"
    TOO_LARGE = "FG-S003"
    TOO_MANY_MEMBERS = "FG-S004"
    UNSAFE_NAME = "FG-S005"
    REPEATED_MEMBER = "FG-S006"
    ENCRYPTED = "FG-S007"
    COMPRESSION = "FG-S008"
    OVERLAP = "FG-S009"
    LYING_SIZE = "FG-S010"
    DAMAGED = "FG-S011"
    BOMB = "FG-S012"
    NO_ROOM = "FG-S013"
    OUTPUT = "FG-S014"

    NO_ARRAY = "FG-S020"
    TYPE = "FG-S021"
    DIMENSIONS = "FG-S022"
    ROWS = "FG-S023"
    WIDTHS = "FG-S024"
    WIDTH = "FG-S025"
    NO_ROWS = "FG-S026"

    UNKNOWN_MEMBER = "FG-S030"
    MIXED_SPACES = "FG-S031"
    MISSING_MEMBER = "FG-S032"
    PAIR_TWICE = "FG-S033"
    ONE_MEDIUM = "FG-S034"
    CODES = "FG-S035"
    META = "FG-S036"

    NAN = "FG-S040"
    INFINITE = "FG-S041"
    ZERO_ROW = "FG-S042"
    NOT_BINARY = "FG-S043"

    BAD_ID = "FG-S050"
    DUPLICATE_ID = "FG-S051"
    MISSING_ID = "FG-S052"
    EXTRA_ID = "FG-S053"
    FOREIGN_IDS = "FG-S054"
    FOREIGN_MEDIUM = "FG-S055"

    LEGACY_FILE = "FG-S060"
    LEGACY_ROWS = "FG-S061"
    LEGACY_RAGGED = "FG-S062"
    LEGACY_NUMBER = "FG-S063"
    LEGACY_SIZE = "FG-S064"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What a code stands for: its title, what is expected, why it matters, how to mend it."""

    title: str
    expected: str
    why: str
    fix: str


FAULTS: Mapping[str, FaultKind] = {
    Code.NO_FILE: FaultKind(
        "no such file",
        "a regular file",
        "There is nothing to read.",
        "check the path",
    ),
    Code.NO_ARCHIVE: FaultKind(
        "not an .npz archive",
        "an .npz file: a zip of .npy arrays",
        "Nothing in it can be trusted to be what it says.",
        "write it with numpy.savez or fgbench.submission.write_submission",
    ),
    Code.TOO_LARGE: FaultKind(
        "too large",
        "at most 8 GiB, packed and unpacked",
        "The checker states how much disk and memory it takes, and keeps to it.",
        "store float32 or float16; drop score matrices that the tasks do not need",
    ),
    Code.TOO_MANY_MEMBERS: FaultKind(
        "too many members",
        "at most 64 members",
        "The fullest submission has 22 arrays; more are something else.",
        "leave out what is no part of a submission",
    ),
    Code.UNSAFE_NAME: FaultKind(
        "a member that is not a plain file inside the archive",
        "relative names with forward slashes, no links",
        "Such a name can reach outside the archive where it is unpacked.",
        "write the file again with numpy.savez",
    ),
    Code.REPEATED_MEMBER: FaultKind(
        "a member twice",
        "each name once",
        "Two readers would take two different arrays.",
        "keep one of them",
    ),
    Code.ENCRYPTED: FaultKind(
        "an encrypted member",
        "no encryption",
        "It cannot be read.",
        "write the file again without a password",
    ),
    Code.COMPRESSION: FaultKind(
        "an unknown compression",
        "stored or deflated members",
        "These two are what every reader of .npz knows.",
        "write it with numpy.savez or numpy.savez_compressed",
    ),
    Code.OVERLAP: FaultKind(
        "members that overlap or lie outside the file",
        "each member in bytes of its own",
        "Overlapping members are how small files unpack to enormous ones.",
        "write the file again; it was damaged or made by hand",
    ),
    Code.LYING_SIZE: FaultKind(
        "a size that is not the true one",
        "the size that the archive and the array's header declare",
        "Half an array, or more than one, would be scored as if it were whole.",
        "write the file again; it was damaged or made by hand",
    ),
    Code.DAMAGED: FaultKind(
        "damaged bytes",
        "content that agrees with its checksum",
        "Some numbers are not those that you wrote.",
        "copy or write the file again",
    ),
    Code.BOMB: FaultKind(
        "unpacks to far more than it is",
        "over 512 MiB, at most 200 times the packed size",
        "A few bytes that fill a disk are an attack or a mistake.",
        "write it with numpy.savez, uncompressed",
    ),
    Code.NO_ROOM: FaultKind(
        "no room to unpack",
        "room in the temporary folder for the compressed members",
        "Compressed arrays are unpacked once, to a temporary file.",
        "free some room, set TMPDIR, or write it with numpy.savez, uncompressed",
    ),
    Code.OUTPUT: FaultKind(
        "the output cannot be written",
        "a free name, in a folder that can be written to",
        "Nothing is replaced unasked, and nothing is written in part.",
        "choose another name, or say --force to replace the file",
    ),
    Code.NO_ARRAY: FaultKind(
        "not an .npy array",
        "a plain array as numpy.save writes it",
        "The numbers cannot be found in it.",
        "write the file again with numpy.savez",
    ),
    Code.TYPE: FaultKind(
        "wrong type of values",
        "float32 (float16, float64 and integers are read as float32)",
        "Objects need pickle, which can run code; other types have no cosine.",
        "convert: array.astype(numpy.float32)",
    ),
    Code.DIMENSIONS: FaultKind(
        "wrong number of dimensions",
        "a matrix, one row an item",
        "Each item needs one vector.",
        "reshape to [items, width]",
    ),
    Code.ROWS: FaultKind(
        "rows and ids disagree",
        "one row for each id, in the ids' order",
        "Nobody could say whose row is whose.",
        "write arrays and ids from the same loop",
    ),
    Code.WIDTHS: FaultKind(
        "different widths in one space",
        "the same width for every medium of a space",
        "A cosine needs two vectors of one length.",
        "project the media into one space, or submit spaces by pair",
    ),
    Code.WIDTH: FaultKind(
        "a width out of bounds",
        "a width of 1 to 16,384",
        "The bound keeps memory within what is stated.",
        "reduce the embedding, as by PCA, and say so in meta",
    ),
    Code.NO_ROWS: FaultKind(
        "no items, or too many",
        "1 to 200,000 items a medium",
        "An empty medium has nothing to score; the bound keeps memory within what is stated.",
        "leave the medium out, or write its items",
    ),
    Code.UNKNOWN_MEMBER: FaultKind(
        "unknown member",
        "image, image_ids, image_text/image, scores/image_text, …, codes, meta",
        "It might be an array that you meant to be scored under another name.",
        "rename it, or leave it out",
    ),
    Code.MIXED_SPACES: FaultKind(
        "more than one kind of space",
        "one of: a common space, spaces by pair, score matrices",
        "The scorer would have to guess which one you mean.",
        "write one file for each",
    ),
    Code.MISSING_MEMBER: FaultKind(
        "a member is missing",
        "ids for every array, an array for all ids, both media of a pair",
        "What is there cannot be used without it.",
        "add it, or leave out its counterpart",
    ),
    Code.PAIR_TWICE: FaultKind(
        "a pair under both its names",
        "each pair once, image_text or text_image",
        "The two may differ.",
        "keep one of them",
    ),
    Code.ONE_MEDIUM: FaultKind(
        "fewer than two media",
        "two or more media",
        "Cross-media retrieval asks in one medium and finds in another.",
        "add a second medium",
    ),
    Code.CODES: FaultKind(
        "codes is not understood",
        "codes = 'binary', or no such member",
        "Binary codes are compared by Hamming distance, all else by cosine.",
        "write codes='binary', or leave it out",
    ),
    Code.META: FaultKind(
        "meta is not understood",
        "a JSON object of at most 64 KiB, as a string",
        "It becomes the method's card in the record.",
        "write json.dumps({...}, allow_nan=False)",
    ),
    Code.NAN: FaultKind(
        "NaN",
        "numbers",
        "NaN is similar to nothing, and every order of it is arbitrary.",
        "find the items that your model fails on",
    ),
    Code.INFINITE: FaultKind(
        "infinite in float32",
        "numbers below 3.4e38",
        "An infinite vector has no direction.",
        "look for an overflow, as of float16 while training",
    ),
    Code.ZERO_ROW: FaultKind(
        "a row of zeros",
        "a vector with a direction",
        "Its cosine with anything is undefined.",
        "look for items that were never embedded (or codes that are not declared binary)",
    ),
    Code.NOT_BINARY: FaultKind(
        "codes that are not binary",
        "only −1 and +1, or only 0 and 1, the same in the whole file",
        "Hamming distance counts differing bits.",
        "binarise first, as by numpy.sign, or leave out codes",
    ),
    Code.BAD_ID: FaultKind(
        "ids that cannot be read",
        "a list of strings: UTF-8, 1 to 512 characters, no control characters",
        "An id that cannot be printed cannot be matched or reported.",
        "write numpy.array(ids) from a list of str",
    ),
    Code.DUPLICATE_ID: FaultKind(
        "an id twice",
        "each id once in a medium",
        "One of the rows would be ignored without a word.",
        "keep one row an item",
    ),
    Code.MISSING_ID: FaultKind(
        "test items are missing",
        "every test item of a medium that is submitted",
        "A smaller gallery is an easier one: the numbers would not compare.",
        "embed them, or leave the whole medium out",
    ),
    Code.EXTRA_ID: FaultKind(
        "ids that are no test items",
        "test items of the benchmark alone",
        "They would be distractors that nobody else has.",
        "leave them out (train items are not submitted)",
    ),
    Code.FOREIGN_IDS: FaultKind(
        "ids of something else",
        "the benchmark's test ids",
        "Without them a row cannot be given a label.",
        "name the benchmark that you embedded with --benchmark",
    ),
    Code.FOREIGN_MEDIUM: FaultKind(
        "a medium that the benchmark has not",
        "media of the benchmark",
        "There is nothing to score it against.",
        "leave it out, or name another --benchmark",
    ),
    Code.LEGACY_FILE: FaultKind(
        "feature files not found",
        "one file a medium, as image/features_te.txt, for two media or more",
        "It cannot be told which medium a file is of.",
        "give the folder that has image, text, video and audio in it",
    ),
    Code.LEGACY_ROWS: FaultKind(
        "not one line for each test item",
        "a line for each item, in the benchmark's own order",
        "The files have no ids: one line too many or too few shifts all labels after it.",
        "extract the features of the test list again, without shuffling",
    ),
    Code.LEGACY_RAGGED: FaultKind(
        "lines of different length",
        "the same count of numbers on each line",
        "Some numbers are missing or broken over lines.",
        "write it with numpy.savetxt",
    ),
    Code.LEGACY_NUMBER: FaultKind(
        "not a number",
        "decimal numbers with blanks between them",
        "The vector cannot be read.",
        "write it with numpy.savetxt",
    ),
    Code.LEGACY_SIZE: FaultKind(
        "a feature file out of bounds",
        "UTF-8 text, at most 4 GiB, 16,384 numbers a line",
        "The bound keeps memory within what is stated.",
        "give the text that numpy.savetxt wrote",
    ),
}
