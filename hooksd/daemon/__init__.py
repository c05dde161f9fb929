"""The composition root: wiring, lifecycle, reload and systemd."""
