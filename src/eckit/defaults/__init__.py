"""The core's own plugins: found by entry point like any other, using nothing but the public face."""
