"""Files that an import is read from: CSV and Parquet, larger than memory, possibly hostile.

Knows which columns each import has and how they lie in a file; knows nothing of the wire, of the
database, or of what a value must be.
"""
