"""Expressions and templates: a small language over JSON data, of the family of Jinja, that can reach nothing else.

It is our own because the promise of the daemon depends on it: no operation here can exhaust the memory or the stack of
the process, call a method of a Python object, or print a missing value as text. `condition` and `template` are the two
entrances; nothing outside this package imports the others but `problem`, `scope` and `names`.
"""
