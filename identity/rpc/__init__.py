"""The gRPC edge: decode, call a service, encode. No rule lives here."""
