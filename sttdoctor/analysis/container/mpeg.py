"""MP3 and AAC without a file header: frames that chain.

A frame of either begins with a sync word of 11 or 12 bits only, which samples hold by chance all the time (small
negative 16-bit samples are full of 0xFF). But each header tells the length of its frame, so the next one must stand
exactly there with the same version, layer and sample rate. Sources: ISO/IEC 11172-3, 13818-3 and 13818-7.
"""

from collections.abc import Callable

_CHAIN_AT_START = 3
_CHAIN_FURTHER_IN = 6
_LOOKED_AT = 4096  # bytes: more than the longest MP3 frame (2881) and most of ADTS, so that a cut stream is seen too

_KBPS_V1 = {
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBPS_V2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)


def _mp3_frame(head: bytes) -> tuple[int, int] | None:
    """(length, what all frames of a stream share) of the frame that begins here, None where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    kbps, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer not in (2, 3) or kbps in (0, 15) or rate == 3 or head[3] & 3 == 2:
        return None
    hz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    bits = 1000 * (_KBPS_V1[layer] if version == 3 else _KBPS_V2)[kbps - 1]
    samples = 576 if layer == 3 and version != 3 else 1152
    length = samples // 8 * bits // hz + (head[2] >> 1 & 1)
    return length, (head[1] & 0xFE) << 8 | head[2] & 0x0C


def _adts_frame(head: bytes) -> tuple[int, int] | None:
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (length, head[1] << 16 | (head[2] & 0xFD) << 8 | head[3] & 0xC0) if length > 16 else None


def _chains(data: bytes, place: int, frame: Callable[[bytes], tuple[int, int] | None], wanted: int) -> bool:
    shared = None
    for _ in range(wanted):
        found = frame(data[place : place + 7])
        if found is None or (shared is not None and found[1] != shared):
            return False
        shared = found[1]
        place += found[0]
    return True


def find_frames(data: bytes) -> tuple[int, str] | None:
    """Find a stream of MP3 or ADTS frames at the start of bytes or a little way in.

    Returns:
        (offset of the first frame, `mp3` or `aac`), None where no frames chain.
    """
    place = data.find(b"\xff", 0, _LOOKED_AT)
    while place >= 0:
        wanted = _CHAIN_FURTHER_IN if place else _CHAIN_AT_START
        for kind, frame in (("mp3", _mp3_frame), ("aac", _adts_frame)):
            if _chains(data, place, frame, wanted):
                return place, kind
        place = data.find(b"\xff", place + 1, _LOOKED_AT)
    return None
