"""What template.yaml points at: one module a function, each with its ``handler``."""
