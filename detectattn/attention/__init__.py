"""Where a detector looks: attention captured, projected onto the picture, scored, and what it costs."""
