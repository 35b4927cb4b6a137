"""Released tables and lists: species, sources, benchmarks, published numbers."""
