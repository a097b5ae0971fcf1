"""What the bytes are before they are samples: files, compressed streams, text."""
