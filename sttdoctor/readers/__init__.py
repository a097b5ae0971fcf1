"""One module a capture format: each reads untrusted bytes, redacts secrets and states what the capture lacks."""

from sttdoctor.readers.capture import read_capture

__all__ = ["read_capture"]
