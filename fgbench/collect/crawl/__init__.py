"""Fetching: identity, pace, robots, a WARC store, a journal that survives any stop."""
