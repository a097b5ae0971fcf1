"""The pytest fixture and its plugin."""
