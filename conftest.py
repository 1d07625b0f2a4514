"""What every suite of the project shares: the core's, the plugins', the documentation's."""

from hypothesis import settings

pytest_plugins = ["tests.databases", "tests.skips", "tests.summary"]

settings.register_profile("eckit", deadline=None, print_blob=True)
settings.load_profile("eckit")
