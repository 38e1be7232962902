"""Ours against ``yolo predict`` of Ultralytics: ``python -m benchmarks.peer --help`` lists the rows."""
