"""A whole table scored with the release's own graph: the same bits as over HTTP."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ebb.decision import ACT, HOLD, threshold
from ebb.errors import DataError, Misuse
from ebb.release.load import LoadedRelease
from ebb.synced import replaced
from training.dataset import read_dataset
from training.progress import Progress

_ROWS = 20_000


def score_table(release: LoadedRelease, data: Path, out: Path, progress: Progress) -> dict[str, Any]:
    """Score every row and write the key (or row number), probability and decision.

    Args:
        release: what scores.
        data: csv or parquet; a label column is not needed.
        out: `.csv` or `.parquet`; appears whole or not at all.
        progress: told of the rows.

    Returns:
        `rows`, `acted_on`, `mean_probability`.

    Raises:
        Misuse: `out` has another ending.
        DataError: the table does not fit the contract, or `out` cannot be written.
    """
    if out.suffix not in {".csv", ".parquet"}:
        raise Misuse(f"--out {out}: must end in .csv or .parquet")
    if not out.parent.is_dir():
        raise DataError(f"{out} could not be written: there is no folder {out.parent}")
    key = release.contract.entity_column or "row"
    if key in {"probability", "decision"}:
        raise Misuse(f"the key column is named {key!r}, as a column of the scored table is: rename it")
    dataset = read_dataset(data, release.contract, labelled=False, progress=progress)
    parts = []
    with progress.step("Score", len(dataset.entity_ids)) as done:
        for start in range(0, len(dataset.entity_ids), _ROWS):
            part = slice(start, start + _ROWS)
            parts.append(release.scorer.score(dataset.inputs.rows(part)))
            done(len(parts[-1]))
    probabilities = np.concatenate(parts)
    acts = probabilities.astype(np.float64) >= threshold(release.contract.decision)
    table = pa.table(
        {
            key: pa.array(dataset.entity_ids.tolist(), pa.string()),
            "probability": probabilities,
            "decision": np.where(acts, ACT, HOLD).tolist(),
        }
    )
    _write(table, out)
    return {
        "rows": len(probabilities),
        "acted_on": int(acts.sum()),
        "mean_probability": float(probabilities.mean(dtype=np.float64)),
    }


def _write(table: pa.Table, out: Path) -> None:
    try:
        with replaced(out) as partial:
            if out.suffix == ".csv":
                pyarrow.csv.write_csv(table, partial)
            else:
                pyarrow.parquet.write_table(table, partial)
    except OSError as error:
        raise DataError(f"{out} could not be written: {error.strerror or error}; nothing was kept") from None
