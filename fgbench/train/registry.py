"""The methods that there are: a written table of ours, and entry points of other packages.

Packages of others add theirs by an entry point of the group ``fgbench.baselines``
(docs/add-a-baseline.md).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import is_dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fgbench.errors import InputError
from fgbench.media.preset import Form
from fgbench.train.method import Facts, Kind, Method, Scope

GROUP = "fgbench.baselines"
"""Our package of methods, and the entry-point group of others': ``name = module:Class``."""

BASELINES: Mapping[str, str] = {
    "fgcrossnet": "fgcrossnet:FGCrossNet",
    "mhtn": "mhtn:Mhtn",
    "acmr": "acmr:Acmr",
    "jrl": "jrl:Jrl",
    "gsph": "gsph:Gsph",
    "cmdn": "cmdn:Cmdn",
    "scan": "scan:Scan",
    "gxn": "gxn:Gxn",
    "uncsm": "uncsm:Uncsm",
    "cran": "cran:Cran",
    "cmgans": "cmgans:CmGans",
    "mcsm": "mcsm:Mcsm",
    "ccl": "ccl:Ccl",
    "tvdb": "tvdb:Tvdb",
}
"""Name → module and class in that package, in the paper's order; a test holds it to the folder."""

_TRAINING = frozenset({"accelerate", "torch", "torchvision"})
_ENUMS: Mapping[str, type[Scope] | type[Kind]] = {"Scope": Scope, "Kind": Kind}


def names() -> tuple[str, ...]:
    """The names of all methods, of other packages too."""
    return (*BASELINES, *sorted(_installed()))


def load(name: str) -> Method:
    """The method of that name; its module, and with it perhaps torch, is imported only now.

    Raises ``InputError``: FG-G001 where there is none, FG-G002 where another package's is broken.
    """
    module, attribute, point = _whereabouts(name)
    if point is None:
        method: Method = getattr(import_module(module), attribute)()
        return method
    try:
        method = point.load()()
        trouble = _trouble(method, name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _TRAINING:
            raise
        trouble = str(error)
    except Exception as error:  # whatever another package's code does: it is said whose it is
        trouble = f"{type(error).__name__}: {error}"
    if trouble:
        raise _broken(point, trouble)
    return method


def read_facts(name: str) -> Facts:
    """What a method says of itself, read in its source, for methods import torch.

    Where ``Facts(…)`` is not written out there, the module is imported. Errors as of :func:`load`.
    """
    written = _written_facts(source_file(name))
    return load(name).facts if written is None else written


def form_file(name: str, form: Form) -> Path:
    """The YAML file of a form, beside the method's module. Raises ``InputError``: FG-G003."""
    module = source_file(name)
    path = module.with_name(f"{module.stem}.{form}.yaml")
    if path.is_file():
        return path
    there = [f.value for f in Form if module.with_name(f"{module.stem}.{f}.yaml").is_file()]
    raise InputError(
        "FG-G003",
        f"{name} has no form {form.value!r}: no file {path.name}",
        why="A form is whose way of doing it is followed: the paper's, or the released code's.",
        fix=f"It has: {', '.join(there)}." if there else f"Write {path.name} beside its module.",
    )


def source_file(name: str) -> Path:
    """The file of a method's module, without importing it. Errors as of :func:`load`."""
    module, _, point = _whereabouts(name)
    try:
        spec = find_spec(module)
    except Exception as error:  # a dotted name imports the packages above it
        if point is None:
            raise
        raise _broken(point, f"{type(error).__name__}: {error}") from error
    if spec is not None and spec.origin is not None and Path(spec.origin).is_file():
        return Path(spec.origin)
    if point is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    raise _broken(point, f"there is no file of the module {module}")


def _whereabouts(name: str) -> tuple[str, str, EntryPoint | None]:
    """Module and class of a method, and the entry point where another package declares it."""
    if name in BASELINES:
        module, _, attribute = BASELINES[name].partition(":")
        return f"{GROUP}.{module}", attribute, None
    installed = _installed()
    if name in installed:
        point = installed[name]
        return point.module, point.attr, point
    near = get_close_matches(name.lower(), (*BASELINES, *installed), n=3)
    raise InputError(
        "FG-G001",
        f"there is no baseline {name[:80]!r}",
        fix=f"Near: {', '.join(near)}." if near else f"There are: {', '.join(names())}.",
    )


def _installed() -> dict[str, EntryPoint]:
    """Methods of other packages, by name; one that bears the name of ours is not among them."""
    return {p.name: p for p in entry_points(group=GROUP) if p.name not in BASELINES}


def _broken(point: EntryPoint, trouble: str) -> InputError:
    package = point.dist.name if point.dist else "an unnamed package"
    return InputError(
        "FG-G002",
        f"the baseline {point.name} of {package} cannot be used: {trouble}",
        why=f"It is declared as {point.value} in the entry-point group {GROUP}.",
        fix=f"Correct it (docs/add-a-baseline.md), or uninstall {package}.",
    )


def _trouble(method: Any, name: str) -> str:
    """What keeps an object from being the method of that name; nothing where it is one."""
    if not isinstance(getattr(method, "facts", None), Facts):
        return "it has no facts, a fgbench.train.method.Facts"
    if method.facts.name != name:
        return f"it calls itself {method.facts.name!r}"
    config = getattr(method, "Config", None)
    if not (isinstance(config, type) and is_dataclass(config)):
        return "its Config is no dataclass"
    lacking = [a for a in ("build", "stages", "embed") if not hasattr(method, a)]
    if lacking and not hasattr(method, "fit"):
        return f"it has neither fit nor {', '.join(lacking)}"
    return ""


def _written_facts(source: Path) -> Facts | None:
    """``Facts(…)`` of a source file whose arguments are written out: text, numbers, Scope, Kind."""
    try:
        for node in ast.walk(ast.parse(source.read_bytes())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Facts":
                written = {k.arg: _literal(k.value) for k in node.keywords if k.arg is not None}
                return Facts(**written)
    except (KeyError, SyntaxError, TypeError, ValueError):
        return None  # importing it tells more
    return None


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return _ENUMS[node.value.id][node.attr]
    return ast.literal_eval(node)
