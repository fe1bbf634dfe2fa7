"""All stages synthesize in the seconds that are promised."""

from pathlib import Path

import pytest

from tests.load.guard import guard
from tests.load.synth_figures import synth_figures


@pytest.mark.timeout(600)
def test_synth_of_all_stages(tmp_path: Path) -> None:
    guard(list(synth_figures(tmp_path)))
