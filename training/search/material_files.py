"""A search's material as files, which worker processes map into memory instead of copying."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from training.fit import Coded
from training.folds import Folds
from training.search.task import Material

_ARRAYS = ("numbers", "codes", "labels", "fold", "times", "groups")


def write_material(material: Material, folder: Path) -> None:
    """Write a file an array, and the rest as JSON."""
    folds = material.folds
    arrays = (
        material.coded.numbers,
        material.coded.codes,
        material.labels,
        folds.fold,
        folds.times,
        material.groups,
    )
    for name, array in zip(_ARRAYS, arrays, strict=True):
        if array is not None:
            np.save(folder / f"{name}.npy", array)
    told = {"names": material.coded.names, "count": folds.count, "gap": folds.gap, "seed": material.seed}
    (folder / "material.json").write_text(json.dumps(told))


def read_material(folder: Path) -> Material:
    """Read what `write_material` wrote; arrays stay on disk until they are looked at."""
    told = json.loads((folder / "material.json").read_text())
    arrays: dict[str, Any] = dict.fromkeys(_ARRAYS)
    for name in _ARRAYS:
        if (folder / f"{name}.npy").exists():
            arrays[name] = np.load(folder / f"{name}.npy", mmap_mode="r")
    coded = Coded(arrays["numbers"], arrays["codes"], tuple(tuple(texts) for texts in told["names"]))
    folds = Folds(arrays["fold"], told["count"], arrays["times"], told["gap"])
    return Material(coded, arrays["labels"], folds, arrays["groups"], told["seed"])
