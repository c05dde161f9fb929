"""From files to an immutable snapshot, or to diagnostics that say what is wrong and where."""
