"""Arrays of pixels, and a blur that gives the same bytes everywhere."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]


def blur(picture: U8, radius: int) -> U8:
    """The picture, of one or three channels, averaged over about ``radius`` pixels with weights that fall off evenly.

    Two box filters make a tent, in sums of integers: OpenCV's own ``stackBlur`` depends on the number of threads.
    """
    for half in ((radius + 1) // 2, radius // 2):
        if half > 0:
            size = 2 * half + 1
            total = cv2.boxFilter(picture, cv2.CV_32S, (size, size), normalize=False, borderType=cv2.BORDER_REPLICATE)
            picture = ((total + size * size // 2) // (size * size)).astype(np.uint8)
    return picture
