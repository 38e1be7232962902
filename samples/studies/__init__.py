"""Made-up studies: reports and picture galleries that no model was run for, to render in tests and benchmarks."""
