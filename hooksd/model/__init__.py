"""The frozen values that cross every boundary: definitions, events, records. No I/O, no clock, no randomness."""
