"""What touches the network: the recorder, the stand-in for the service, and sending a session again."""
