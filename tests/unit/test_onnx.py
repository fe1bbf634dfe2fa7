"""The scorer: any batch gives the bits of single rows, and Ctrl-C never reaches into a run."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from ebb.features.inputs import Inputs, accept_row, encode
from ebb.onnx import OnnxScorer, undisturbed
from tests.fakes.contracts import ROW, tiny_contract
from tests.fakes.releases import tiny_model


def _inputs(rows: int) -> Inputs:
    contract = tiny_contract()
    return encode(contract, [accept_row(contract, {**ROW, "tenure": i % 120, "spend": i * 0.37}) for i in range(rows)])


@pytest.mark.parametrize("rows", [1, 1_000, 1_001, 10_000, 20_001])
def test_any_batch_gives_the_bits_of_single_rows(rows: int) -> None:
    scorer, inputs = OnnxScorer(tiny_model()), _inputs(rows)
    whole = scorer.score(inputs)
    assert whole.shape == (rows,)
    for row in {0, rows // 2, rows - 1, min(rows - 1, 10_000)}:
        assert np.array_equal(whole[row : row + 1], scorer.score(inputs.rows(slice(row, row + 1))))


def test_ctrl_c_comes_after_the_run_not_in_it() -> None:
    done = False

    def interrupted() -> None:
        nonlocal done
        with undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            done = True

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_is_left_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with undisturbed():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
