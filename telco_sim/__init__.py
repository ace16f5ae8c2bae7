"""The outside world of a subscriber identity service, simulated.

Owns a synthetic population with chip cards and photographs, operators with their own books,
citizens with phones, and people who cheat. It refuses to know how the service works inside:
it shares only the wire contract, and has its own number generators and its own chip encoder,
because a shared helper would hide a shared bug.
"""
