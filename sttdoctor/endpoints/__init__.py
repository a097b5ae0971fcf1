"""What a realtime endpoint is: paths, parameters, commands, events; and other vendors' words."""
