"""An encoder after ITU-T G.722 at 64 kbit/s (sub-band ADPCM), in floats, not bit-exact: its bytes are what counts."""

import numpy as np
from faults_scene import Samples

QMF = (3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11)
LOW_LEVELS = (35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121,
              1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919)  # fmt: skip
LOW_STEPS = (-60, -30, 58, 172, 334, 538, 1198, 3042)
LOW_CLASS = (0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0)
LOW_OUT = (0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0)
HIGH_OUT = (-7408, -1616, 7408, 1616)
HIGH_STEPS = (-214, 798)


class _Band:
    """The predictor and the step of one band."""

    def __init__(self, shift: int) -> None:
        self.step, self.log, self.shift = 32 if shift == 8 else 8, 0, shift
        self.poles, self.zeros = [0.0, 0.0], [0.0] * 6
        self.made, self.parts, self.differences = [0.0, 0.0], [0.0, 0.0], [0.0] * 6

    def predicted(self) -> float:
        """The next sample as the past has it."""
        return self._zero() + sum(a * b for a, b in zip(self.poles, self.made, strict=True))

    def _zero(self) -> float:
        return sum(a * b for a, b in zip(self.zeros, self.differences, strict=True))

    def take(self, out: int, change: int, limit: int) -> None:
        """Adapt to a quantized difference (in 2^-15 of the step)."""
        difference = self.step * out / 32768.0
        zero = self._zero()
        made, part = self.predicted() + difference, zero + difference
        signs = [np.sign(part) * np.sign(before) for before in self.parts]
        first, second = self.poles
        second = float(np.clip(0.992 * second + 0.0078 * signs[1] - 0.0312 * np.clip(first, -0.5, 0.5) * signs[0],
                               -0.75, 0.75))  # fmt: skip
        first = float(np.clip(0.996 * first + 0.0117 * signs[0], second - 0.9375, 0.9375 - second))
        self.poles = [first, second]
        self.zeros = [
            0.996 * b + 0.0078 * float(np.sign(difference) * np.sign(d))
            for b, d in zip(self.zeros, self.differences, strict=True)
        ]
        self.made, self.parts = [made, self.made[0]], [part, self.parts[0]]
        self.differences = [difference, *self.differences[:5]]
        self.log = int(np.clip(self.log * 127 // 128 + change, 0, limit))
        self.step = max(1, int(2.0 ** (self.log / 2048.0 - (8 if self.shift == 8 else 10)) * 4096))


def encode(samples: Samples) -> bytes:
    """The bytes of speech at 16000 Hz (-1 to 1): one for two samples."""
    whole = np.rint(np.clip(samples, -1, 1) * 16383)
    taps = np.array(QMF, dtype=float)
    padded = np.concatenate([np.zeros(22), whole])
    even = np.convolve(padded[0::2], taps, "valid")
    odd = np.convolve(padded[1::2], taps[::-1], "valid")
    count = min(len(even), len(odd))
    lows, highs = (even + odd)[:count] / 8192, (even - odd)[:count] / 8192
    low, high, out = _Band(8), _Band(10), bytearray()
    for one, other in zip(lows, highs, strict=True):
        error = one - low.predicted()
        size = sum(abs(error) >= level * low.step / 4096.0 for level in LOW_LEVELS)
        code = (63 - size if size < 2 else 31 - (size - 2)) if error < 0 else 61 - size
        code = int(np.clip(code, 1, 63))
        four = code >> 2
        low.take(LOW_OUT[four], LOW_STEPS[LOW_CLASS[four]], 18432)
        error = other - high.predicted()
        far = abs(error) >= 564 * high.step / 4096.0
        two = (0 if far else 1) if error < 0 else (2 if far else 3)
        high.take(HIGH_OUT[two], HIGH_STEPS[1 if two in (0, 2) else 0], 22528)
        out.append(two << 6 | code)
    return bytes(out)
