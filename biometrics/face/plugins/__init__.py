"""Networks that an operator brings: what they are, where they lie, how they run.

The package refuses to judge how well a network tells people apart: that is an operating point's
to show.
"""
