"""The engines, one noun a file. A driver is imported by the step that first needs it."""
