"""What a run is made of: method, form, configuration and seed; ``config.yaml``, which says so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Items, Parts
from fgbench.train.forms import load_form, plain_config, restore_config
from fgbench.train.method import Budget, Method
from fgbench.train.registry import load

FILE = "config.yaml"
_PROBES = 8
"""Items of a side of a medium whose media are looked at; vectors are looked at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """A method with all its choices. Equal recipes and data give equal submissions on one CPU."""

    method: Method
    form: Form
    budget: Budget
    seed: int
    config: Any

    @classmethod
    def choose(
        cls,
        name: str,
        form: Form = Form.PAPER,
        budget: Budget = Budget.FULL,
        overrides: Mapping[str, str] | None = None,
        seed: int = 0,
    ) -> Recipe:
        """The recipe of a form. Raises what ``load_form`` raises."""
        config = load_form(name, form, budget, overrides)
        return cls(load(name), form, budget, seed, config)

    @classmethod
    def read(cls, folder: Path) -> Recipe:
        """That of the run in a folder. Raises ``InputError`` (FG-G032), ``FaultyInput``."""
        found = read_config(folder)
        if found is None:
            raise InputError(
                "FG-G032",
                f"there is no run in {folder}: no file {FILE}",
                fix="Name the folder that fgbench baseline train wrote (--out).",
            )
        method = load(str(found["method"]))
        config = restore_config(method.Config, found["config"], str(folder / FILE))
        return cls(method, Form(found["form"]), Budget(found["budget"]), found["seed"], config)

    def identity(self) -> dict[str, Any]:
        """All of it as plain values; the budget's are in the configuration."""
        return {
            "method": self.method.facts.name,
            "form": self.form.value,
            "seed": self.seed,
            "config": plain_config(self.config),
        }


def write_config(folder: Path, recipe: Recipe, data: Mapping[str, str]) -> None:
    """Write ``config.yaml``, whole; ``data`` are the fingerprints of the data set."""
    found = {**recipe.identity(), "budget": recipe.budget.value, "data": dict(data)}
    draft = folder / f".{FILE}.draft"
    # Escapes, since of characters as they are U+0085 would be read back as a space.
    draft.write_text(yaml.safe_dump(found, sort_keys=False), "utf-8")
    draft.replace(folder / FILE)


def read_config(folder: Path) -> dict[str, Any] | None:
    """What ``config.yaml`` says; None where there is none. Raises ``FaultyInput`` (FG-G033)."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        found = yaml.safe_load(path.read_bytes())
        missing = [key for key, kind in _KINDS.items() if not isinstance(found[key], kind)]
        Form(found["form"]), Budget(found["budget"])
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        missing = [str(error).partition("\n")[0][:200]]
    if missing:
        fix = "name another folder, or delete this one to train anew"
        expected = "what fgbench wrote: " + ", ".join(_KINDS)
        fault = Fault("FG-G033", str(path), "; ".join(missing), expected, fix)
        raise FaultyInput(f"{path} cannot be used", [fault])
    read: dict[str, Any] = found
    return read


_KINDS = {"method": str, "form": str, "seed": int, "config": dict, "budget": str, "data": dict}


def fingerprint(data: Dataset) -> dict[str, str]:
    """A digest of each medium's items: ids, labels, and inputs, of media some."""
    return {medium.value: _digest(data, medium) for medium in data.media}


def takes_vectors(items: Items) -> bool:
    """Whether items come as features: one axis, and no indices of characters."""
    if len(items.inputs.shape) != 1:
        return False
    probe = items.inputs.take(np.zeros(min(len(items), 1), np.int64))
    return bool(probe.dtype.kind == "f")


def check_identity(where: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise ``FaultyInput`` (FG-G031) unless a run is the one that is wanted."""
    ours, theirs = _flat(wanted), _flat(found)
    faults = [
        Fault(
            "FG-G031",
            f"{where}, {name}",
            f"{theirs.get(name, 'nothing')!s:.120}",
            f"{ours.get(name, 'nothing')!s:.120}",
            "call it as before, or name another folder: --out",
        )
        for name in ours | theirs
        if ours.get(name) != theirs.get(name)
    ]
    if faults:
        raise FaultyInput(f"{where} is of another run", faults)


def _digest(data: Dataset, medium: Medium) -> str:
    digest = hashlib.sha256()
    for items in (data.train[medium], data.test[medium]):
        digest.update("\n".join(items.ids.tolist()).encode("utf-8", "surrogatepass"))
        digest.update(np.ascontiguousarray(items.labels).tobytes())
        digest.update(str(items.inputs.shape).encode())
        count = len(items) if len(items.inputs.shape) < 3 else min(len(items), _PROBES)
        places = np.linspace(0, len(items) - 1, count).astype(np.int64)
        for block in np.array_split(places, max(1, count // 1024)):
            taken = items.inputs.take(block)
            for array in taken if isinstance(taken, Parts) else [taken]:
                digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
