"""Fixtures of the core's own tests. Databases and the rest that plugins' tests use too come from the root conftest."""
