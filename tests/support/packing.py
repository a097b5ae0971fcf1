"""Captures in archives."""

import io
import tarfile
import zipfile

CONTENTS = {"a/1.raw": b"one" * 100, "2.jsonl": b"two", "ü ;=x": b"\0" * 70_000}


def as_zip(path, contents=CONTENTS):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return str(path)


def as_tar(path, contents=CONTENTS):
    with tarfile.open(path, "w:gz" if path.suffix.lower().endswith("gz") else "w") as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(path)
