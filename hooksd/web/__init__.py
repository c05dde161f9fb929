"""The HTTP faces: the trigger listener and the admin listener."""
