"""What operators observe: the operational log and metrics. Observations may be dropped; records may not."""
