"""What a manifest is: schema, reading and writing, selection, splits, audit, card."""
