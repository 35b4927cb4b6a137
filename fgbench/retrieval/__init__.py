"""One query: found among the test items or embedded, ranked against galleries, and shown."""
