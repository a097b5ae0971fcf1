"""A recorded session sent again, as it was or repaired."""
