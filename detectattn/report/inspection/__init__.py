"""What models are made of and what their attention costs, as tables and sentences for a terminal and for Markdown."""
