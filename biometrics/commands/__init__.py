"""The commands of the library, one module for each area.

The package refuses to decide anything: its commands read files, call the library and print.
"""
