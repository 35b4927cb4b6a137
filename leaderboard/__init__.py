"""The board: entries, what is known of their order, and the static site that shows it."""
