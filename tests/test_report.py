"""The report: one page that is whole, harmless and true to its figures; pictures that show what they say."""

import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from report_figures import FIGURES, figure
from vultus.faces.faceset import FaceSet, write
from vultus.faces.record import Record
from vultus.methods.model import load, random_model
from vultus.methods.pcl import PCLConfig
from vultus.methods.simclr import SimCLRConfig
from vultus.report.collect import read_runs
from vultus.report.evidence import named_figures
from vultus.report.gallery import take_sample
from vultus.report.markup import Markup, element
from vultus.report.page import write_report
from vultus.report.results import rows
from vultus.report.sheets import GAP, reconstruction_columns, view_columns
from vultus.training.config import RunConfig
from vultus.training.run import pretrain

HOSTILE = "<script>alert('x')</script>"
SECTIONS = ["results", "setting", "training", "views", "reconstructions", "maps", "neighbours"]
VOID = {"img", "br", "meta", "hr"}
PCL_TINY = PCLConfig(hidden=16, projection=8, pose_part=0.5, whole_part=0.5)


class Reader(HTMLParser):
    """A page as a browser takes it: tags with attributes, text by section, and what was left open."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.mistakes, self.text, self.rows = [], [], [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop()[0] != tag:
            self.mistakes.append(tag)

    def handle_data(self, data):
        section = next((a["id"] for t, a in self.open if t == "section"), "")
        self.text[section] = self.text.get(section, "") + data
        if any(tag in ("td", "th") for tag, _ in self.open):
            self.rows[-1][-1] += data + " "

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def records(count=60, labels=None):
    """Noise of 32 px whose colour tells the class; a third is the test split."""
    rng = np.random.default_rng(0)
    for i in range(count):
        pixels = rng.integers(0, 180, (8, 8, 3)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
        pixels[..., i % 3] += 70
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        yield Record(buffer.getvalue(), f"{i}{HOSTILE}.png", labels(i) if labels else {})


def hostile_labels(i):
    label = (HOSTILE, "happy", "$\\sad$")[i % 3]
    return {"split": ("train", "train", "test")[i // 3 % 3], "expression": label, "yaw": float(i - 30)}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    out = tmp_path_factory.mktemp("labelled") / "set"
    write(records(labels=hostile_labels), out, source=HOSTILE, licence=HOSTILE, name=f"tiny{HOSTILE}")
    return FaceSet.open(out)


@pytest.fixture(scope="module")
def runs(labelled, tmp_path_factory):
    """A PCL and a SimCLR run of a few steps; the same baseline stands in the figures of both."""
    base = tmp_path_factory.mktemp("runs")
    for name, method in (("pcl", PCL_TINY), ("simclr", SimCLRConfig(hidden=16, projection=8))):
        config = RunConfig(method=method, size=32, batch=8, epochs=2, log_every=1, precision="fp32")
        pretrain(config, labelled.path, base / name, quiet=True)
    own = [figure("simclr", "encoder", 0.463)]
    for name, figures in (("pcl", FIGURES), ("simclr", own + FIGURES[2:3])):
        (base / name / "evaluation.json").write_text(json.dumps([f.to_dict() for f in figures]))
    return [base / "pcl", base / "simclr"]


@pytest.fixture(scope="module")
def page(runs, labelled, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "new" / "report.html"
    assert write_report(runs, out, faces=labelled, title=f"Faces {HOSTILE}") == out
    assert [p.name for p in out.parent.iterdir()] == ["report.html"]
    return out.read_text()


def test_the_page_needs_nothing_but_itself(page):
    read = Reader(page)
    addresses = [v for _, a in read.tags for k, v in a.items() if k in ("src", "href", "xlink:href", "srcset", "data")]
    assert addresses
    assert [a for a in addresses if not a.startswith(("data:image/", "#"))] == []
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in read.tags}
    assert "://" not in page  # "http" alone may stand in the letters of a picture
    assert "@import" not in page
    assert len(page) < 4_000_000


def test_the_page_is_well_formed_and_within_it_every_link_leads_somewhere(page):
    read = Reader(page)
    assert (read.open, read.mistakes) == ([], [])
    ids = [a["id"] for _, a in read.tags if "id" in a]
    assert {a["href"][1:] for a in read.of("a")} <= set(ids)
    assert [a["id"] for a in read.of("section")] == SECTIONS


def test_every_section_of_two_runs_is_filled(page):
    read = Reader(page)
    assert read.of("img") and all(a["alt"] for a in read.of("img"))
    assert read.of("svg") and all(a["aria-label"] and a["viewbox"] for a in read.of("svg"))
    shown = dict.fromkeys(SECTIONS, 0)
    for part in page.split("<section id=")[1:]:
        shown[part.split('"')[1]] = part.count("<img") + part.count("<svg")
    # views stand beside the original; maps and sheets are of shared, face, pose and the rival's encoder
    logged = {"face", "reconstruction", "orthogonality", "pose", "contrast"}
    charts = len(logged) + len({"weight_face", "weight_pose", "lr", "feature_std", "effective_rank"})
    assert shown == {
        "results": 2, "setting": 0, "training": charts, "views": 7 + 3, "reconstructions": 6,
        "maps": 4, "neighbours": 4,
    }  # fmt: skip
    assert "SHA-256" in read.text["setting"] and "42 faces of tiny" in read.text["setting"]
    assert "best over test epochs" in read.text["results"]


def test_figures_and_intervals_stand_in_the_table(page):
    table = [[" ".join(cell.split()) for cell in row] for row in Reader(page).rows]
    cells = {row[0].split(" baseline")[0]: row for row in reversed(table)}  # the first of a name: the headline table
    assert cells["pcl shared"][1:] == ["1,024", "48.1 46.1–50.1", "9.44 8.94–9.94"]
    assert cells["pcl pose"][1:] == ["1,024", "40.2 38.2–42.2", "–"]
    assert cells["simclr encoder"][1:] == ["1,024", "46.3 44.3–48.3", "–"]
    assert cells["pixels"][1:] == ["2,304", "31.3 29.3–33.3", "8.13 7.63–8.63"]
    assert cells["chance an answer blind to the face"][1:] == ["", "25.0", "14.20"]
    assert page.count("<b>48.1</b>") == page.count("<b>8.13</b>") == 1
    assert "<b>9.44</b>" not in page and "<b>31.3</b>" not in page
    assert sum(row[0].startswith("pixels") for row in table) == 1


def test_hostile_names_stay_text(page):
    read = Reader(page)
    assert not read.of("script")
    assert f"Faces {HOSTILE}" in read.text[""]
    assert read.text["setting"].count(HOSTILE) >= 3  # the set's name, source and licence
    assert HOSTILE in read.text["maps"] and "$\\sad$" in read.text["maps"]
    assert element("p", "a<b", title='"<') == '<p title="&quot;&lt;">a&lt;b</p>'
    assert element("p", Markup("<i>x</i>"), "&") == "<p><i>x</i>&amp;</p>"


def test_without_labels_maps_have_one_colour_and_a_word(runs, tmp_path):
    write(records(30), tmp_path / "plain", source="tests", licence="CC0")
    faces = FaceSet.open(tmp_path / "plain")
    page = write_report([*runs[:1], *runs[:1]], tmp_path / "page.html", faces=faces).read_text()  # named twice: one run
    read = Reader(page)
    assert "One run" in page and "42 faces of tiny" in read.text["setting"]  # not the one shown
    text = read.text["maps"]
    assert "Without a map by expression, a label these faces lack: pcl shared, pcl face." in text
    assert "Without a map by yaw, a label these faces lack: pcl pose." in text
    assert page.split('id="maps"')[1].split("</section>")[0].count("<svg") == 3
    assert "keep it, mail it" not in page and "keep it where their pictures may be kept" in page
    assert "green bar" not in read.text["neighbours"]
    assert len([a for a in read.of("img") if "nearest" in a["alt"]]) == 3


def test_without_a_decoder_or_faces_or_figures_the_page_says_so(runs, labelled, tmp_path):
    rival = tmp_path / "rival"
    rival.mkdir()
    for name in ("run.json", "log.jsonl", "config.json", "model.safetensors"):
        (rival / name).write_bytes((runs[1] / name).read_bytes())
    read = Reader(write_report([rival], tmp_path / "page.html", faces=labelled).read_text())
    assert "No run here has a decoder" in read.text["reconstructions"]
    assert "No figures yet" in read.text["results"]
    read = Reader(write_report([rival], tmp_path / "page.html").read_text())
    assert not read.of("img")
    assert all("No face set was given" in read.text[s] for s in ("setting", "views", "maps", "neighbours"))


def test_an_unfinished_run_is_reported_without_pictures(runs, labelled, tmp_path):
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / "run.json").write_bytes((runs[0] / "run.json").read_bytes())
    read = Reader(write_report([begun], tmp_path / "page.html", faces=labelled).read_text())
    assert "No run has logged a step yet" in read.text["training"]
    assert all("has no model yet" in read.text[s] for s in ("views", "maps", "neighbours"))


def test_what_is_no_run_is_refused(runs, tmp_path):
    with pytest.raises(ValueError, match="no run to report"):
        write_report([], tmp_path / "page.html")
    with pytest.raises(FileNotFoundError, match=r"run\.json"):
        write_report([tmp_path], tmp_path / "page.html")
    (tmp_path / "run.json").write_bytes((runs[0] / "run.json").read_bytes())
    (tmp_path / "evaluation.json").write_text('[{"task": "expression"}]')
    with pytest.raises(ValueError, match=r"evaluation\.json.*missing keys"):
        write_report([tmp_path], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_runs_are_called_by_the_shortest_names_that_differ(runs, tmp_path):
    assert [run.label for run in read_runs(runs)] == ["pcl", "simclr"]
    for name in ("long", "short"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_bytes((runs[0] / "run.json").read_bytes())
        (tmp_path / name / "evaluation.json").write_text(json.dumps([f.to_dict() for f in FIGURES]))
    pair = read_runs([tmp_path / "long", tmp_path / "short"])
    assert [run.label for run in pair] == ["long", "short"]
    table = rows(named_figures(pair, ()))
    assert [(r.label, r.feature) for r in table] == [
        ("long", "shared"), ("long", "pose"), ("short", "shared"), ("short", "pose"), ("pixels", "pixels"),
    ]  # fmt: skip


def test_given_figures_take_the_place_of_the_runs_own(runs):
    named = named_figures(read_runs(runs), [figure("hog", "hog", 0.4)])
    assert [(n.label, n.learned) for n in named] == [("hog", False)]


def test_views_and_reconstructions_are_columns_over_the_same_faces(labelled, runs):
    model = load(runs[0])
    views = view_columns(model, labelled, [0, 1])
    assert list(views) == ["original", "face_0", "face_1", "whole", "pose_0", "pose_1", "flips"]
    np.testing.assert_array_equal(views["original"], views["whole"])  # the whole view has no chance in it
    drawn = reconstruction_columns(model, labelled, [0, 1])
    np.testing.assert_array_equal(drawn["original"], views["original"])
    with torch.inference_mode():
        images = torch.from_numpy(labelled.images([0, 1], 32)) / 255
        expected = model.method.reconstructions(images)["D(F_f)"].clamp(0, 1).mean(dim=(1, 2, 3)) * 255
    height = drawn["D(F_f)"].shape[1]
    means = [drawn["D(F_f)"][top : top + height, :, :3].mean() for top in (0, height + GAP)]
    np.testing.assert_allclose(means, expected, atol=1.5)
    with pytest.raises(ValueError, match="no decoder"):
        reconstruction_columns(
            random_model(SimCLRConfig(), 32, torch.zeros(2, 3, 32, 32, dtype=torch.uint8)), labelled, [0]
        )


def test_the_sample_is_of_the_test_split_and_without_equal_pictures(tmp_path):
    parts = list(records(24, lambda i: {"split": "test" if i < 16 else "train"}))
    parts += [replace(parts[i], name=f"again {i}") for i in range(6)]
    write(parts, tmp_path / "set", source="tests", licence="CC0")
    sample = take_sample([], FaceSet.open(tmp_path / "set"))
    assert sample.split == "test"
    assert sorted(sample.faces.image_bytes(i) for i in range(16)) == sorted(p.image for p in parts[:16])
    assert len(take_sample([], FaceSet.open(tmp_path / "set"), most=5).faces) == 5
