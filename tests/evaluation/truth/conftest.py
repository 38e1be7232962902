"""One labelled picture, in every form that ground truth comes in."""

import json

import numpy as np
import pytest
from PIL import Image


class LabelledPicture:
    """A picture of 200 × 100 with a cat and a crowd of dogs; writes its labels.

    Attributes:
        size_hw: Height and width.
        objects: Class, left, top, right, bottom of each.
        frames: Size of the picture by the key that records give it.
    """

    size_hw = (100, 200)
    objects = (("cat", 10.0, 20.0, 60.0, 80.0), ("dog", 100.0, 0.0, 200.0, 50.0))

    @property
    def frames(self):
        return {("bus.jpg", 0): self.size_hw}

    def coco_content(self, **changes):
        content = {
            "images": [{"id": 7, "file_name": "street/bus.jpg", "height": 100, "width": 200}],
            "categories": [{"id": 3, "name": "cat"}, {"id": 1, "name": "dog"}],
            "annotations": [
                {"id": 0, "image_id": 7, "category_id": 3, "bbox": [10, 20, 50, 60], "area": 1500, "iscrowd": 0},
                {"id": 1, "image_id": 7, "category_id": 1, "bbox": [100, 0, 100, 50], "iscrowd": 1},
            ],
        }
        return content | changes

    def write_coco(self, path, content=None, **changes):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.coco_content(**changes) if content is None else content, indent=1))
        return path

    def write_yolo(
        self, root, name="bus", lines=("0 0.175 0.5 0.25 0.6", "1 0.75 0.25 0.5 0.5"), config=None, folder="labels"
    ):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
        if config is not None:
            (root / "data.yaml").write_text(config)
        return root / "data.yaml"

    def write_voc(self, path, objects=objects, difficult=(), size=True, extra=""):
        path.parent.mkdir(parents=True, exist_ok=True)
        body = "".join(
            f"<object><name>{name}</name><difficult>{int(name in difficult)}</difficult><bndbox><xmin>{x1 + 1:g}</xmin>"
            f"<ymin>{y1 + 1:g}</ymin><xmax>{x2:g}</xmax><ymax>{y2:g}</ymax></bndbox></object>"
            for name, x1, y1, x2, y2 in objects
        )
        sizes = "<size><width>200</width><height>100</height></size>" if size else "<size><width>0</width></size>"
        path.write_text(f"<annotation><filename>old name.jpg</filename>{sizes}{body}{extra}</annotation>")
        return path

    def write_picture(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", self.size_hw[::-1]).save(path)
        return path

    def objects_of(self, truth, key=("bus.jpg", 0)):
        """What placed truth says of an image, in the form of ``objects``."""
        image = truth.images[key]
        # Labels of YOLO have few digits.
        boxes = np.round(image.xyxy.astype(float), 3).tolist()
        return tuple((truth.class_names[c], *box) for c, box in zip(image.class_index.tolist(), boxes, strict=True))


@pytest.fixture
def picture():
    return LabelledPicture()
