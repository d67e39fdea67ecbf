"""Readers of attributes and of triplets on miniatures of their layouts, and on what is wrong with them."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from faces_pictures import records
from reader_sources import column, packed, put, put_wide, skips, text
from vultus.faces import triplets as triplet_lists
from vultus.faces.faceset import FaceSet
from vultus.faces.readers import detect
from vultus.faces.readers.fec import odd_one_out
from vultus.faces.triplets import NamedTriplet, Triplets
from vultus.faces.writer import write

NAMES = ["5_o_Clock_Shadow", "Male", *(f"Attribute_{number}" for number in range(38))]


def answers(male: str, first: str = "-1") -> str:
    return " ".join([first, male, *["-1"] * 38])


def test_celeba(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"Img/img_align_celeba/00000{number}.jpg" for number in (1, 2, 3, 4, 5)))
    rows = [f"000001.jpg  {answers('1', '1')}", f"000002.jpg {answers('-1')}", f"000003.jpg {answers('7')}"]
    rows += [f"000004.jpg {answers('1')} 1", f"000009.jpg {answers('1')}"]
    text(src / "Anno/list_attr_celeba.txt", "5", " ".join(NAMES), *rows)
    text(src / "Anno/identity_CelebA.txt", *(f"00000{number}.jpg 288{number}" for number in range(1, 10)))
    points = "69 109 106 113 77 142 73 152 108 154"
    text(
        src / "Anno/list_landmarks_align_celeba.txt",
        "9",
        "lefteye_x",
        *(f"00000{n}.jpg {points}" for n in range(1, 10)),
    )
    text(src / "Eval/list_eval_partition.txt", "000001.jpg 0", "000002.jpg 2", "000003.jpg 0", "000004.jpg 1")
    assert detect(src) == "celeba"
    result, faces = packed(src)
    assert faces.names.tolist() == ["Img/img_align_celeba/000001.jpg", "Img/img_align_celeba/000002.jpg"]
    assert faces.labels("split").tolist() == ["train", "test"]
    assert faces.labels("identity").tolist() == ["2881", "2882"]
    assert faces.labels("male").tolist() == ["yes", "no"]
    assert faces.labels("gender").tolist() == ["male", "female"]
    assert faces.labels("5_o_clock_shadow").tolist() == ["yes", "no"]
    np.testing.assert_allclose(faces.labels("landmarks")[0, :4], [69 / 178, 109 / 218, 106 / 178, 113 / 218], atol=1e-6)
    np.testing.assert_allclose(faces.boxes[0], [0, 20 / 218, 1, 198 / 218], atol=1e-6)
    found = [(name[-10:], reason) for name, reason in skips(result).items()]
    assert [name for name, _ in found] == [f"00000{n}.jpg" for n in (3, 4, 5, 9, 6, 7, 8)]
    parts = ["attribute male is 1, 0 or -1, got 7", "40 attributes expected, got 41", "no row"]
    parts += ["no such picture"] * 4  # of the attributes' row, and of rows of the other lists
    assert all(part in reason for part, (_, reason) in zip(parts, found, strict=True))


def test_celeba_as_csv_without_the_other_lists(tmp_path: Path) -> None:
    src = put(tmp_path / "src", *(f"img_align_celeba/img_align_celeba/00000{number}.jpg" for number in (1, 2)))
    rows = [answers("1").replace(" ", ","), answers("nan").replace(" ", ",")]
    text(src / "list_attr_celeba.csv", ",".join(["image_id", *NAMES]), f"000001.jpg,{rows[0]}", f"000002.jpg,{rows[1]}")
    result, faces = packed(src)
    assert faces.labels("male").tolist() == ["yes", ""]  # NaN is unknown
    assert faces.labels("gender").tolist() == ["male", ""]
    assert "no list_eval_partition: no split" in result.card.notes
    text(src / "list_attr_celeba.csv", "image_id,Male", "000001.jpg,1")
    with pytest.raises(ValueError, match="40 attributes with Male among them expected, found 1"):
        packed(src, overwrite=True)


LFW = ["Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Bo/Bo_0001.jpg", "Bo/Bo_0002.jpg"]


def lfwa_source(root: Path) -> tuple[Path, dict[str, np.ndarray]]:
    src = put(root / "src", *(f"lfw/{name}" for name in (*LFW[:3], "Cy/Cy_0001.jpg")))
    label = np.zeros((4, 40))
    label[0, 1] = 1
    return src, {"label": label}


def check_lfwa(src: Path) -> None:
    result, faces = packed(src)
    assert column(faces, "split") == {f"lfw/{LFW[0]}": "test", f"lfw/{LFW[1]}": "train", f"lfw/{LFW[2]}": "train"}
    assert faces.labels("identity").tolist() == ["Ann_Lee", "Ann_Lee", "Bo"]
    assert faces.labels("gender").tolist() == ["male", "female", "female"]
    assert faces.labels("5_o_clock_shadow").tolist() == ["no", "no", "no"]
    np.testing.assert_allclose(faces.boxes[0], [0.15, 0.15, 0.85, 0.85], atol=1e-6)
    assert skips(result) == {
        f"lfw/{LFW[3]}": "cannot be read: No such file or directory",
        "lfw/Cy/Cy_0001.jpg": "no row of the labels names it",
    }


def test_lfwa(tmp_path: Path) -> None:
    src, parts = lfwa_source(tmp_path)
    cells = {"name": [name.replace("/", "\\") for name in LFW], "AttrName": [name.replace("_", " ") for name in NAMES]}
    parts |= {name: np.array(cell, dtype=object)[:, None] for name, cell in cells.items()}
    savemat(src / "lfw_att_40.mat", parts)
    savemat(src / "indices_train_test.mat", {"indices_img_train": [[2], [3]], "indices_img_test": [[1], [4]]})
    assert detect(src) == "lfwa"  # though its folders are LFW's
    check_lfwa(src)
    savemat(src / "indices_train_test.mat", {"indices_img_train": [[0], [3]], "indices_img_test": [[1], [4]]})
    with pytest.raises(ValueError, match="indices from 1 to 4 expected, got 0 to 3"):
        packed(src, overwrite=True)


def test_lfwa_of_version_7_3(tmp_path: Path) -> None:
    """As it is published: HDF5 behind 512 bytes, arrays turned round, text as references to numbers."""
    h5py = pytest.importorskip("h5py")
    src, parts = lfwa_source(tmp_path)
    cells = {"name": [name.replace("/", "\\") for name in LFW], "AttrName": NAMES}
    with h5py.File(src / "lfw_att_40.mat", "w", userblock_size=512) as file:
        file["label"] = parts["label"].T
        for name, cell in cells.items():
            references = file.create_dataset(name, (1, len(cell)), dtype=h5py.ref_dtype)
            for place, word in enumerate(cell):
                file[f"#refs#/{name}{place}"] = np.array([[ord(letter)] for letter in word], np.uint16)
                references[0, place] = file[f"#refs#/{name}{place}"].ref
    with h5py.File(src / "indices_train_test.mat", "w") as file:
        file["indices_img_train"], file["indices_img_test"] = np.array([[2.0, 3]]), np.array([[1.0, 4]])
    with (src / "lfw_att_40.mat").open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file")
    check_lfwa(src)


@pytest.mark.parametrize(
    ("given", "odd"),
    [
        (["3", "3", "3", "3", "1", "2"], 2),  # two thirds exactly
        (["3", "3", "3", "1", "1", "2"], None),
        (["1", "1", "", " "], 0),  # a blank is no answer
        (["0", "0", "0"], None),
        ([], None),
    ],
)
def test_raters_of_a_triplet(given: list[str], odd: int | None) -> None:
    assert odd_one_out(given) == odd


HOST = "https://host/photos"


def fec_row(*faces: str, kind: str = "TWO_CLASS_TRIPLET", given: str = "3 3 3 1") -> str:
    raters = ",".join(f"r{place},{answer}" for place, answer in enumerate(given.split()))
    return f"{','.join(faces)},{kind},{raters}"


def test_fec(tmp_path: Path) -> None:
    hashed = hashlib.sha1(f"{HOST}/c.jpg?size=l".encode()).hexdigest()
    src = put_wide(
        tmp_path / "src", "pictures/a.jpg", "pictures/b%20.jpg", f"pictures/{hashed}.png", "pictures/extra.jpg"
    )
    (src / "pictures/b%20.jpg").rename(src / "pictures/b .jpg")
    (src / "pictures/torn.jpg").write_text("a page that says the picture is gone")
    box = "0.1,0.5,0.2,0.6"  # left, right, top, bottom
    a, second = f"{HOST}/a.jpg,{box}", f"{HOST}/a.jpg,0.5,0.9,0.2,0.6"
    b, c = f"{HOST}/b%20.jpg,{box}", f"{HOST}/c.jpg?size=l,{box}"
    torn, gone, flat = f"{HOST}/torn.jpg,{box}", f"{HOST}/gone.jpg,{box}", f"{HOST}/a.jpg,0.5,0.1,0.2,0.6"
    rows = [fec_row(a, b, c), fec_row(second, a, b, given="1 1 1"), fec_row(a, b, second, given="1 2 3")]
    rows += [fec_row(a, b, one) for one in (torn, gone, flat)]
    text(src / "faceexp-comparison-data-train-public.csv", *rows, "broken,row")
    text(src / "faceexp-comparison-data-test-public.csv", fec_row(c, b, a, kind="ONE_CLASS_TRIPLET", given="2 2 2"))
    assert detect(src) == "fec"
    result, faces = packed(src)
    names = ["pictures/a.jpg", "pictures/b .jpg", f"pictures/{hashed}.png", "pictures/a.jpg#2"]
    assert faces.names.tolist() == names
    np.testing.assert_allclose(faces.boxes[3], [0.5, 0.2, 0.9, 0.6], atol=1e-6)
    found = faces.triplets
    assert found is not None
    rows = zip(
        found.anchor.tolist(), found.positive.tolist(), found.negative.tolist(), found.kind.tolist(), strict=True
    )
    assert list(rows) == [(0, 1, 2, "two_class"), (0, 1, 3, "two_class"), (2, 0, 1, "one_class")]
    assert result.card.notes == (
        "1 triplets left out: no two thirds of their raters agree",
        "1 triplets left out: their row cannot be read",
        "3 faces are named by both lists: they count as train",
        "3 of 6 triplets left out: a face of theirs is not in the set",
    )
    left_out = skips(result)
    assert left_out.keys() == {"pictures/torn.jpg", f"{HOST}/gone.jpg", "pictures/a.jpg#3", "pictures/extra.jpg"}
    assert (left_out[f"{HOST}/gone.jpg"], result.duplicates) == ("no picture of this address", 0)


def test_triplets_are_kept_with_the_set(tmp_path: Path) -> None:
    listed = [NamedTriplet("face002.jpg", "face000.jpg", "face001.jpg", "two_class"), NamedTriplet("x", "y", "z", "")]
    card = write(records(3), tmp_path / "set", source="test", licence="", triplets=listed)
    assert card.notes == ("1 of 2 triplets left out: a face of theirs is not in the set",)
    faces = FaceSet.open(tmp_path / "set")
    for view in (faces, faces.take(np.array([1]))):  # a view keeps the rows of the whole set
        assert view.triplets is not None
        assert (len(view.triplets), view.triplets.anchor.tolist(), view.triplets.kind.tolist()) == (
            1,
            [2],
            ["two_class"],
        )
    write(records(3), tmp_path / "plain", source="test", licence="")
    assert FaceSet.open(tmp_path / "plain").triplets is None


@pytest.mark.parametrize(
    "damage", ["anchor,positive\n0,1,2,x\n", "0,1,3,x\n", "0,1,-1,x\n", "0,1,two,x\n", "0,1,2\n", ""]
)
def test_damaged_triplets_are_told(tmp_path: Path, damage: str) -> None:
    one = np.array([0], np.int64)
    triplet_lists.save(Triplets(one, one, one, np.array(["x"])), tmp_path / "triplets.csv")
    header = (tmp_path / "triplets.csv").read_text().splitlines()[0]
    (tmp_path / "triplets.csv").write_text(
        damage if damage.startswith("anchor") or not damage else f"{header}\n{damage}"
    )
    with pytest.raises(ValueError, match="is damaged"):
        triplet_lists.load(tmp_path / "triplets.csv", 3)
