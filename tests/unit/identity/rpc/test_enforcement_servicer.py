"""The clock at the edge: a real one is not moved, a simulated one moves forward."""
