"""An archive of financial news feeds."""

__version__ = "0.1.0"
