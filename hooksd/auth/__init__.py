"""Who is calling: from a declarative definition to a verifier, and from a request to a verdict. No I/O, no clock."""
