"""A mixed load for minutes, with faults, and what came of it."""
