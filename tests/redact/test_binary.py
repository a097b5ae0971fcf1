import numpy as np
import pytest
from common import FIXTURES

from sttdoctor.redact import redact_bytes

AUDIO = sorted((FIXTURES / "audio").glob("*.raw"))
CONFIG = b'{"type":"config","api_key":"sk_car_abcdefghijklmnopqrstuvwx","turn":{}}'


@pytest.mark.parametrize("size", [160, 320, 800, 16000])
@pytest.mark.parametrize("path", AUDIO, ids=lambda path: path.stem)
def test_samples_stay_as_they_are(path, size):
    data = path.read_bytes()
    for start in range(0, len(data), size):
        assert redact_bytes(data[start : start + size]) == data[start : start + size]


def test_samples_that_begin_like_text_and_hold_what_looks_like_a_login_stay():
    noise = np.random.default_rng(0).integers(0x80, 0x100, 400).astype(np.uint8).tobytes()
    frame = b"<=<=;:?7B5@?LA8,>7?[" + noise + b"97658;97:GD86@F7.062--" + noise
    assert redact_bytes(frame) == frame


@pytest.mark.parametrize("lead", [b"", b"\x00\x00\x00\x47", b"\xff\xfe\x01\x00\x47\x00\x00\x00"])
def test_a_configuration_in_a_binary_frame_loses_its_key(lead):
    assert b"sk_car" not in redact_bytes(lead + CONFIG) and b'"config"' in redact_bytes(lead + CONFIG)


@pytest.mark.parametrize(
    "key", [b"sk_car_a1b2c3d4e5f6g7h8", b"sk-proj-a1b2c3d4e5f6g7h8", b"github_pat_11ABCDE_abc123XYZ"]
)
def test_a_key_of_a_vendor_in_the_midst_of_samples_goes_and_they_stay(key):
    noise = np.random.default_rng(0).integers(0x80, 0x100, 4000).astype(np.uint8).tobytes()
    assert redact_bytes(noise + key + noise) == noise + b"REDACTED" + noise
    assert redact_bytes(noise + key[:8] + noise) == noise + key[:8] + noise
