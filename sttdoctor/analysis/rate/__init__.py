"""Which sample rate the sound and the byte rate speak for."""
