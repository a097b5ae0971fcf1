"""WebSockets out of the bytes on the wire: packets, net logs, and the frames in them."""
