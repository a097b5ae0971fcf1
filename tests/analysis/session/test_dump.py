import numpy as np
import soundfile
from common import FIXTURES

from sttdoctor.analysis.session.dump import list_pieces


def test_samples_that_are_in_step_are_in_no_pieces_that_cut_them():
    """Half floats that were made of few levels have the same bytes again and again, in step or not."""
    speech, _ = soundfile.read(FIXTURES / "source" / "arctic-a0009.flac")
    coarse = (np.round(speech * 64) / 64).astype("<f2").view(np.uint8)
    sizes = {len(pieces[0]) for _, pieces in list_pieces(coarse, "pcm_f16le", None, slips=True)}
    assert any(size % 2 for size in sizes)
    assert list(list_pieces(coarse, "pcm_f16le", None, slips=False)) == []
