"""Explain detections: one capture a picture and model, maps of every detection, and how true they are."""
