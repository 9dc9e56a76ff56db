"""Dataclasses from JSON, whose values may be of any type."""

from dataclasses import fields
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from recipes.console import shown

Kind = TypeVar("Kind")


def from_json(kind: type[Kind], values: object) -> Kind:
    """Return a dataclass of values that were read from JSON.

    Args:
        kind: The dataclass. Its fields are numbers, texts, booleans, lists of
            them, or `None`.
        values: A dictionary; fields that it lacks keep their defaults.

    Raises:
        ValueError: if a value is of another type, is not finite, or is of no
            field.
    """
    if not isinstance(values, dict):
        raise ValueError(f"expected settings by name, found {shown(values)}")
    hints = get_type_hints(kind)
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    for name, value in values.items():
        if name not in names:
            raise ValueError(f"there is no setting {shown(name)}")
        check(name, value, hints[name])
    return kind(**values)


def check(name: str, value: object, hint: Any) -> None:
    """Raise a `ValueError` for a value that is not of a type."""
    if not _is_of(value, hint):
        expected = getattr(hint, "__name__", str(hint))
        raise ValueError(f"{name} must be {expected}, found {shown(value)}")


def _is_of(value: object, hint: Any) -> bool:
    if get_origin(hint) is UnionType:
        return any(_is_of(value, it) for it in get_args(hint))
    if get_origin(hint) is list:
        (of,) = get_args(hint)
        return isinstance(value, list) and all(_is_of(it, of) for it in value)
    if hint is str:
        # What is no Unicode cannot be written, or be the name of a file.
        return isinstance(value, str) and not _has_surrogates(value)
    if hint in (int, float) and isinstance(value, bool):
        return False
    if hint is float:
        return isinstance(value, int | float) and abs(value) < 1e300
    if hint is int:
        return isinstance(value, int) and abs(value) < 2**31
    return isinstance(value, hint)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= it <= "\udfff" for it in text)
