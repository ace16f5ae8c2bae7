"""How well a face comparison works, measured to ISO/IEC 19795-1.

Pairs of photographs in, error rates with intervals, thresholds and reports out. The package
refuses to know how templates are made: it asks an engine for them.
"""
