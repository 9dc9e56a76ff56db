"""Damaged and wrong contents of files, from valid ones."""

import copy
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

# What people hand over by mistake.
OTHER_FILES = {
    "empty": b"",
    "a line": b"hello\n",
    "zeros": bytes(4096),
    "not UTF-8": b"\xff\xfe\xfa\x80" * 64,
    "a page": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "a pointer to a large file": b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e\n"
    b"size 12345\n",
    "an archive of nothing": b"PK\x05\x06" + bytes(18),
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.",
    "a compressed file": b"\x1f\x8b\x08\x00" + bytes(60),
    "HDF5's first bytes": b"\x89HDF\r\n\x1a\n" + bytes(500),
    "JSON of nothing": b"null",
    "an unfinished list": b"[1, 2, ",
}
# What stands where something else should.
WRONG_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**9,
    10**400,
    float("nan"),
    float("inf"),
    "",
    "text",
    "\ud800",
    [],
    {},
    [None],
    [[[]]],
    {"a": 1},
)


class Damaged(NamedTuple):
    """A file's content.

    Args:
        name: What is wrong with it.
        content: The bytes.
        certain: Whether it must be refused. Else it may still be valid: a bit
            of a weight, or a setting that nothing reads.
    """

    name: str
    content: bytes
    certain: bool


def other_files() -> Iterator[Damaged]:
    """Yield files of other kinds."""
    for name, content in OTHER_FILES.items():
        yield Damaged(name, content, certain=True)


def cut(valid: bytes, random: np.random.Generator) -> Damaged:
    """Return the beginning of a file, as an interrupted copy leaves it."""
    size = int(random.integers(1, len(valid)))
    return Damaged(f"{size} of {len(valid)} bytes", valid[:size], certain=True)


def changed(valid: bytes, random: np.random.Generator) -> Damaged:
    """Return a file in which some bytes are others."""
    content = bytearray(valid)
    places = random.integers(0, len(valid), random.integers(1, 9))
    for place in places:
        content[place] = random.integers(256)
    return Damaged(f"other bytes at {sorted(places)}", bytes(content), False)


def hole(valid: bytes, random: np.random.Generator) -> Damaged:
    """Return a file with a block of zeros, as a failing disk leaves it."""
    start, stop = sorted(random.integers(0, len(valid) + 1, 2))
    content = valid[:start] + bytes(stop - start) + valid[stop:]
    return Damaged(f"zeros from {start} to {stop}", content, certain=False)


def misplaced(valid: bytes, random: np.random.Generator) -> Damaged:
    """Return a file with a block left out, or there twice."""
    start, stop = sorted(random.integers(0, len(valid) + 1, 2))
    block = valid[start:stop] * (2 * int(random.integers(2)))
    content = valid[:start] + block + valid[stop:]
    name = f"bytes {start} to {stop} {'twice' if block else 'left out'}"
    return Damaged(name, content, certain=False)


def damaged_bytes(
    valid: bytes, count: int, random: np.random.Generator
) -> Iterator[Damaged]:
    """Yield so many files: of other kinds, and damaged ones."""
    yield from other_files()
    ways = (cut, changed, hole, misplaced)
    for number in range(count - len(OTHER_FILES)):
        yield ways[number % len(ways)](valid, random)


def wrong_json(
    valid: Any, count: int, random: np.random.Generator
) -> Iterator[Damaged]:
    """Yield JSON documents in which a value is another, missing or deep."""
    places = list(_places(valid))
    for number in range(count):
        place = places[number % len(places)]
        document = copy.deepcopy(valid)
        if number % 5 == 4 and place:
            _remove(document, place)
            name = f"without {_shown(place)}"
            yield Damaged(name, _encoded(document), certain=False)
            continue
        value = WRONG_VALUES[random.integers(len(WRONG_VALUES))]
        document = _replace(document, place, value)
        name = f"{_shown(place)} is {value!r:.20}"
        yield Damaged(name, _encoded(document), certain=False)


def deep_json() -> Iterator[Damaged]:
    """Yield JSON that is nested too deeply to be read."""
    for opened, closed in (("[", "]"), ('{"a":', "}")):
        content = opened * 100_000 + "1" + closed * 100_000
        yield Damaged(f"deep {opened}", content.encode(), certain=True)


def rezipped(valid: bytes, members: Mapping[str, bytes | None]) -> bytes:
    """Return an archive with other members; `None` leaves one out."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(valid)) as source,
        zipfile.ZipFile(target, "w") as file,
    ):
        for name in source.namelist():
            content = members.get(name, source.read(name))
            if content is not None:
                file.writestr(name, content)
        for name in members.keys() - set(source.namelist()):
            file.writestr(name, members[name] or b"")
    return target.getvalue()


def member(archive: bytes, name: str) -> bytes:
    """Return a member of an archive."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return file.read(name)


Place = tuple[str | int, ...]


def _places(document: Any, place: Place = ()) -> Iterator[Place]:
    yield place
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _places(value, (*place, key))
    elif isinstance(document, list):
        for number, value in enumerate(document[:3]):
            yield from _places(value, (*place, number))


def _replace(document: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    *before, last = place
    inner = document
    for key in before:
        inner = inner[key]
    inner[last] = value
    return document


def _remove(document: Any, place: Place) -> None:
    *before, last = place
    for key in before:
        document = document[key]
    del document[last]


def _shown(place: Place) -> str:
    return ".".join(map(str, place)) or "all of it"


def _encoded(document: Any) -> bytes:
    return json.dumps(document).encode()
