"""Faces found by a picture.

index = vultus.search.index_faces("faces/", "runs/pcl", "index/")   # or open_index("index/")
answers = index.query(["a.jpg"], k=10, labels=["identity"])         # each: matches with name, similarity, labels
rows = index.vectors.search(vectors, k=10).rows                     # unit vectors [Q, d] → rows of the face set
"""

from vultus.search.answers import Answer, Match
from vultus.search.directions import Directions, Metric
from vultus.search.face_index import FaceIndex, index_faces, open_index
from vultus.search.index import Hits, Kind, VectorIndex

__all__ = [
    "Answer", "Directions", "FaceIndex", "Hits", "Kind", "Match", "Metric", "VectorIndex", "index_faces", "open_index",
]  # fmt: skip
