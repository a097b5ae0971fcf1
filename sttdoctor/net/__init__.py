"""What every server of this package shares: its address, and who may use it."""
