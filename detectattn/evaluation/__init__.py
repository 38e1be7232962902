"""Judge records: accuracy against ground truth, agreement without, and what a difference is worth."""
