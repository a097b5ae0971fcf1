"""What a report shows and lets people hear: plain values computed from the facts of a capture, bounded in size."""
