"""How fast eckit is, beside floors measured in the same run: ``python -m benchmarks``.

Ratios, not rates: the machine's mood changes both alike. See ``docs`` of each module for what is compared.
"""
