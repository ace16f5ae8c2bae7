"""Use cases: load, ask the domain, save, audit. One file for each."""
