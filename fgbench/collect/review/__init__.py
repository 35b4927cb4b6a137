"""Review: a person listens to what the build could not decide on (paper, section 2.1.2)."""
