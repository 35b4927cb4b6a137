"""Stage 1: from nineteen sites to manifests (paper, section 2.1)."""
