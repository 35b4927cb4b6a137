"""Stage 3: from similarities to the sixteen numbers."""
