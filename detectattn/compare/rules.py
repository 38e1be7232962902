"""The rules of every study, whatever the options say."""

ACCURACY_CONF = 0.001
"""Accuracy looks at every detection down to this score: a threshold would cut the curve that AP is the area under."""
ACCURACY_IOU = 0.7
"""Overlap above which non-maximum suppression drops a box, several classes a box allowed."""
ACCURACY_MAX_DET = 300
"""Detections an image, at most."""
