"""Telling others what was archived: rules of the configuration, webhooks, commands and Atom files."""

from aggregator.hooks.rules import Event, When, told, trial, wanted
from aggregator.hooks.sinks import Hook, Sink, hooks_of, sink_of
from aggregator.hooks.teller import Surroundings, Teller, telling

__all__ = [
    "Event",
    "Hook",
    "Sink",
    "Surroundings",
    "Teller",
    "When",
    "hooks_of",
    "sink_of",
    "telling",
    "told",
    "trial",
    "wanted",
]
