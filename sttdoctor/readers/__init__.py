"""One module a capture format: each reads untrusted bytes, redacts secrets and states what the capture lacks."""

from sttdoctor.readers.capture import read_capture, read_session

__all__ = ["read_capture", "read_session"]
