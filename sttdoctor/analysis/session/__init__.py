"""What a session's events and times say: the audio on its clock, turns, joins, latencies."""
