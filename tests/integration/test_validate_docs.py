"""The data docs: one page that asks nobody for anything; and a library that stays silent."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from tests.fakes.made_contracts import contract_of
from tests.home import ROOT
from training.dataset import accept_table
from training.validation import validate
from training.validation.docs import PAGE

SECRET = "only-for-her"
ROWS = 400


def page() -> str:
    contract = contract_of(
        'name = "x"; kind = "number"; column = "<script>alert(1)</script>"; min = 0',
        'name = "who"; kind = "category"; categories = ["a"]; personal = true',
        'name = "open"; kind = "category"; categories = ["a", "<i>b</i>"]',
    )
    random = np.random.default_rng(0)
    table = pa.table(
        {
            "<script>alert(1)</script>": random.random(ROWS),
            "who": [SECRET if i % 7 else "a" for i in range(ROWS)],
            "open": ["<img src=x onerror=alert(2)>" if i % 9 else "a" for i in range(ROWS)],
            "y": random.integers(0, 2, ROWS),
        }
    )
    data = accept_table(contract, table, labelled=True, source="t")
    return validate(contract, data, "table & <b>co</b>.csv", docs=True).docs[PAGE].decode()


def test_the_page_is_whole_and_asks_nobody() -> None:
    html = page()
    assert "Every expectation, by column" in html
    assert "values must be greater than or equal to" in html
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!#)", html)
    assert "url(" not in html
    assert "@import" not in html


def test_hostile_names_and_values_stay_text_and_personal_values_stay_out() -> None:
    html = page()
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>co</b>" not in html
    assert "<i>" not in html
    assert SECRET not in html
    assert "&lt;script&gt;alert(1)" in html


WATCH = """
import json, sys, os
seen = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        seen.append(event)
    if event == "open" and isinstance(args[1], str) and any(c in args[1] for c in "wax+"):
        seen.append(str(args[0]))
    if event in ("os.mkdir", "os.rename", "subprocess.Popen"):
        seen.append(event + " " + str(args[0]))
sys.addaudithook(hook)
import numpy as np, pyarrow as pa
from tests.fakes.made_contracts import contract_of
from training.dataset import accept_table
from training.validation import validate
contract = contract_of('name = "x"; kind = "number"')
random = np.random.default_rng(0)
table = pa.table({"x": random.random(300), "y": random.integers(0, 2, 300)})
found = validate(contract, accept_table(contract, table, labelled=True, source="t"), "t", docs=True)
print(json.dumps([seen, len(found.verdicts), sorted(found.docs)]))
"""


def test_it_opens_no_connection_and_writes_nothing(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'ebb'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("GX_ANALYTICS_ENABLED", None)
    done = subprocess.run(
        [sys.executable, "-c", WATCH],
        capture_output=True,
        text=True,
        check=True,
        timeout=170,
        env=environment,
        cwd=tmp_path,
    )
    seen, verdicts, docs = json.loads(done.stdout.splitlines()[-1])
    assert seen == []
    assert verdicts > 5
    assert docs == [PAGE]
    assert list(tmp_path.iterdir()) == []


def test_it_is_not_imported_before_it_is_needed() -> None:
    imports = "import sys, training.validation, training.validation.table, local.commands"
    code = f"{imports}; print('great_expectations' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=170, cwd=ROOT
    )
    assert done.stdout.strip() == "False"
