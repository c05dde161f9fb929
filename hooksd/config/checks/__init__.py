"""What can be wrong with definitions, as pure functions from what is written to findings."""
