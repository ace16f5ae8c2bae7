"""Decides and remembers: who holds which mobile number, proved how, reachable where."""
