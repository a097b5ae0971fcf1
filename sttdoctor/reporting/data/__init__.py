"""What a report shows and lets people hear: plain values computed from a case, of a size that does not grow with it."""
