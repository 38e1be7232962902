"""How the embedded models came to be: drawn scenes, a loop, checkpoints, a log. Outside the wheel."""
