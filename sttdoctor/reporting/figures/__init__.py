"""Drawings of what a report shows."""
