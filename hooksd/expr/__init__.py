"""Expressions and templates: an adapter around minijinja, so that nothing else knows which engine it is."""
