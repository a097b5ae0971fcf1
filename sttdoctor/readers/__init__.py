"""One module a capture format: each reads untrusted bytes, redacts secrets and states what the capture lacks."""
