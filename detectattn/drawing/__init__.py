"""Pictures of what was found: boxes, labels, colours, fonts. Pure pixels, no files but fonts."""

from detectattn.drawing.boxes import DrawStyle, draw_detections
from detectattn.drawing.fonts import FontChoice, find_font, missing_glyphs
from detectattn.drawing.labels import LabelLayout, PlacedLabel, place_labels
from detectattn.drawing.palette import Rgb, class_color, text_color

__all__ = [
    "DrawStyle",
    "FontChoice",
    "LabelLayout",
    "PlacedLabel",
    "Rgb",
    "class_color",
    "draw_detections",
    "find_font",
    "missing_glyphs",
    "place_labels",
    "text_color",
]
