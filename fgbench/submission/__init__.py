"""What a submission is, how it is read, and everything that can be wrong with it."""
