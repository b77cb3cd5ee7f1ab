"""What is wrong, and what to do: questions are asked once (``look``), then judged without any network (``judge``)."""

from aggregator.doctor.bundle import Bundle, load, ready, save
from aggregator.doctor.finding import Finding, overall, sentence
from aggregator.doctor.visit import Visit, facts_of, replay, visit

__all__ = ["Bundle", "Finding", "Visit", "facts_of", "load", "overall", "ready", "replay", "save", "sentence", "visit"]
