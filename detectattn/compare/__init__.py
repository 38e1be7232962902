"""The study: one child process a model, equal conditions, measures handed on as records."""
