"""What several checks need, as plain numpy functions with the units in the names."""
