"""Values and rules of subscriber identity.

Owns what a personal ID, a number, a name, a link, a verdict and an enforcement step are, and when
each is right. Imports the standard library only: no I/O, no clock, no SQL, no gRPC. Time, random
numbers and string similarity are handed in by the services.
"""
