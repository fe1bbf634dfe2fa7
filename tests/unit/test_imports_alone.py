"""Every module can be the first that a program imports: no circle of imports waits for the wrong order."""

import pkgutil
import subprocess
import sys

import ebb

# One interpreter, which forks for each module: starting forty would take as long as all other unit tests.
EACH = """
import importlib, os, sys
import cryptography.hazmat.primitives.ciphers.aead, hiredis, httpx, numpy, orjson, pg8000.native, redis
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        importlib.import_module(name)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(name)
"""


def test_every_module_of_the_layer_can_be_imported_first() -> None:
    names = [module.name for module in pkgutil.walk_packages(ebb.__path__, "ebb.")]
    assert "ebb.features.values" in names
    done = subprocess.run([sys.executable, "-c", EACH, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
