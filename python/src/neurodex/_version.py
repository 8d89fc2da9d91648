"""The version of the package; that of the program in it is the same."""

__version__ = "0.9.0"
