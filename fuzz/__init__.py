"""Fuzzing of every reader that takes bytes from elsewhere; see ``fuzz/README.md``. Not part of the package."""
