"""What is timed and weighed: programs that anyone can run. ``python -m benchmarks`` lists them."""
