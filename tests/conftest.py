"""What every test may ask for."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the checkout; tests that need it are skipped loudly without it."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("REAL DATA ABSENT: the folder ../shared/data beside the checkout is missing, nothing was proved")
    return folder
