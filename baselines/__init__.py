"""The reference systems, one file a method and one YAML file a form of it."""
