"""A replica of Sina on loopback, with texts written for this project."""

from aggregator.demo.replica import Replica

__all__ = ["Replica"]
