"""The recorder: a proxy that relays two connections and writes what passes."""
