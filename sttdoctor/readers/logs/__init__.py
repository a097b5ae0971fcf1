"""Debug logs of libraries, out of whatever stands round their lines."""
