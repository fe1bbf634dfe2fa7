"""Run by Lambda's Python alone: loads one function from its archive, calls it, and tells what was loaded from where.

Reads one JSON document from standard input and writes one to the file that its argument names (events go to standard
output); see `package_case.Shipped.run`.
"""

import importlib
import json
import sys
import sysconfig
from pathlib import Path
from typing import Any


def main() -> None:
    """Do what standard input says."""
    asked = json.load(sys.stdin)
    # As Lambda orders them: the function, the layers, what the runtime brings.
    sys.path[:0] = asked["path"][:2]
    sys.path.append(asked["path"][2])
    handler = importlib.import_module(f"lambdas.{asked['function']}.handler")
    answers = [handler.handle(event, None) for event in asked["events"]]
    for module, name in asked["imports"]:
        _import(module, name)
    Path(sys.argv[1]).write_text(json.dumps({"answers": answers, **_loaded(asked["path"])}))


def _import(module: str, name: str) -> None:
    found = importlib.import_module(module)
    if name and name != "*" and not hasattr(found, name):
        importlib.import_module(f"{module}.{name}")


def _loaded(path: list[str]) -> dict[str, Any]:
    shipped, runtime, own = tuple(path[:2]), str(Path(path[2])), sysconfig.get_path("stdlib")
    compiled, elsewhere = [], []
    for name, module in sys.modules.items():
        file = getattr(module, "__file__", None)
        if file is None or name == "__main__":
            continue
        if file.startswith(shipped):
            if file.endswith(".py") and not Path(str(module.__cached__)).is_file():
                compiled.append(name)
        elif not file.startswith((runtime, own)):
            elsewhere.append(f"{name} from {file}")
    return {"compiled": compiled, "elsewhere": elsewhere}


if __name__ == "__main__":
    main()
