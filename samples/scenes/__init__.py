"""Street scenes seen from above, drawn from a seed, with ground truth: the same seed gives the same bytes."""

from .scene import CLASS_NAMES, SAMPLE_SEEDS, TRAIN_SEEDS, VAL_SEEDS, Scene, draw_scene

__all__ = ["CLASS_NAMES", "SAMPLE_SEEDS", "TRAIN_SEEDS", "VAL_SEEDS", "Scene", "draw_scene"]
