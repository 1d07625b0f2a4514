"""For tests: databases, shops, fault schedules and conformance kits; shipped to plugin authors."""
