"""Whether a file may be a capture at all, by its first bytes: so that audio is judged without loading any reader."""

import os
import re

_LOOKED_AT = 64
# gzip, bzip2, xz, byte order marks, JSON or a number (also as UTF-16), pcap in its four kinds, pcapng
_MAY_BE = re.compile(
    rb"\x1f\x8b|BZh[1-9]|\xfd7zXZ\0|\xef\xbb\xbf|\xff\xfe|\xfe\xff|\s*(?:[\[{\d]|\Z)|(?:\s\0)*+[\[{\d]\0|(?:\0\s)*+\0[\[{\d]"
    rb"|\xa1\xb2\xc3\xd4|\xd4\xc3\xb2\xa1|\xa1\xb2\x3c\x4d|\x4d\x3c\xb2\xa1|\n\r\r\n"
)


def may_be_session_file(path: str) -> bool:
    """Whether a regular file may be what `sttdoctor.readers.capture.is_session_file` tells; never wrongly no."""
    if not os.path.isfile(path):
        return False
    try:
        with open(path, "rb") as file:
            return _MAY_BE.match(file.read(_LOOKED_AT)) is not None
    except OSError:
        return False
