"""The stand-in for the service."""
