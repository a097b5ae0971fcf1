"""What the samples hold: levels, damage, speech."""
