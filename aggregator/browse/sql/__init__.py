"""What our pages ask of an archive, in SQL: every query is bounded by an index, never by the archive's size."""
