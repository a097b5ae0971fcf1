"""Which encoding wrote the bytes, and where it changes."""
