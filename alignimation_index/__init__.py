"""alignindex: index decades of photos once; see a life, aligned."""

__version__ = "0.1.0"
