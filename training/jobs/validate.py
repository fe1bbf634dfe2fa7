"""The job `validate`: may this table be learned from?"""

from dataclasses import asdict
from typing import Any

from training.contract_file import read_contract
from training.dataset import read_dataset
from training.jobs.channels import contract_of, table_of
from training.jobs.container import Container
from training.jobs.results import write_json
from training.progress import Progress
from training.validation import raise_on_critical, validate

FINDINGS = "findings.json"


def run(container: Container, progress: Progress) -> dict[str, Any]:
    """Write what was found, with its data docs, then fail where it is critical.

    Raises:
        DataError: the table does not fit, or something critical was found; the findings are written all the same.
        ContractError: the contract cannot be used.
    """
    contract, _ = read_contract(contract_of(container.channels["contract"]))
    table = table_of(container.channels["data"])
    dataset = read_dataset(table, contract, progress=progress)
    findings = validate(contract, dataset, table.name, docs=True)
    for name, page in findings.docs.items():
        (container.results / name).write_bytes(page)
    write_json(container.results / FINDINGS, [asdict(finding) for finding in findings])
    raise_on_critical(findings)
    return {"rows": dataset.rows, "findings": len(findings), "notes": list(dataset.notes)}
