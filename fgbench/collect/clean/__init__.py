"""Cleaning: what turns found pages and recordings into instances (paper, section 2.1.2)."""
