"""Training: what a method is, where its data come from, the loop, and the folder of a run."""
