"""The words all capabilities share; knows no capability and re-exports nothing."""
