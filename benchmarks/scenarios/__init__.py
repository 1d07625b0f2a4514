"""One module per scenario; each has ``run(...) -> list[Result]``."""
