"""Image list: what counts as an image, which class it is of, and what is refused."""

from pathlib import Path

import pytest

from runners.accuracy.image_list import ImageList, Sample, list_images
from runners.errors import DatasetError


def folder(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"not looked at")
    return root


def text(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def labelled(found: ImageList) -> dict[str, int]:
    return {image.name: image.label for image in found.images}


@pytest.fixture
def thousand(tmp_path: Path) -> Path:
    """A list of class names as they are published: a synset, and what it is in words; not in alphabetical order."""
    return text(tmp_path / "classes.txt", *(f"n{9999 - index:08d} thing number {index}" for index in range(1000)))


class TestClassFolders:
    def test_the_index_is_the_place_in_the_order_of_names(self, tmp_path: Path) -> None:
        names = ("n02/b.JPEG", "n02/a.jpg", "n01/z.png", "n10/c.JPG", "n01/notes.txt", ".cache/x.jpg")
        found = list_images(folder(tmp_path / "val", *names))
        assert labelled(found) == {"n01/z.png": 0, "n02/a.jpg": 1, "n02/b.JPEG": 1, "n10/c.JPG": 2}
        assert [image.name for image in found.images] == sorted(labelled(found))
        assert found.images[0].path == tmp_path / "val" / "n01" / "z.png"

    def test_fewer_classes_than_the_weights_have_is_said(self, tmp_path: Path) -> None:
        first, second = list_images(folder(tmp_path / "val", "n01/a.png", "n02/b.png")).remarks
        assert first.startswith("only 2 of 1000 classes")
        assert "counted from 0 in order" in second
        assert "--classes" in second

    def test_a_thousand_classes_need_no_remark(self, tmp_path: Path) -> None:
        found = list_images(folder(tmp_path / "val", *(f"n{index:04d}/a.png" for index in range(1000))))
        assert (found.remarks, found.classes, found.population) == ((), 1000, 1000)
        assert labelled(found)["n0417/a.png"] == 417

    def test_a_list_of_names_sets_the_index(self, tmp_path: Path, thousand: Path) -> None:
        found = list_images(folder(tmp_path / "val", "n00009999/a.png", "n00009990/b.png"), classes=thousand)
        assert labelled(found) == {"n00009990/b.png": 9, "n00009999/a.png": 0}
        assert len(found.remarks) == 1

    def test_a_folder_that_is_not_in_the_list_is_named(self, tmp_path: Path, thousand: Path) -> None:
        with pytest.raises(DatasetError, match="lacks cats, each a folder of"):
            list_images(folder(tmp_path / "val", "cats/a.png", "n00009990/b.png"), classes=thousand)

    def test_more_classes_than_the_networks_have_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match=r"1001 classes.* tell 1000 apart"):
            list_images(folder(tmp_path / "val", *(f"n{index:04d}/a.png" for index in range(1001))))


class TestLabels:
    @pytest.mark.parametrize("line", ["{} {}", "{},{}", "{}\t{}"])
    def test_a_line_holds_a_name_and_an_index(self, line: str, tmp_path: Path) -> None:
        root = folder(tmp_path / "val", "a.JPEG", "b.JPEG")
        labels = text(tmp_path / "val.txt", line.format("b.JPEG", 999), line.format("a.JPEG", 65), "gone.JPEG 3")
        found = list_images(root, labels=labels)
        assert labelled(found) == {"a.JPEG": 65, "b.JPEG": 999}
        assert [one.partition(":")[0] for one in found.remarks] == ["only 2 of 1000 classes have images"]

    def test_the_solution_of_the_competition_names_classes(self, tmp_path: Path, thousand: Path) -> None:
        root = folder(tmp_path / "val", "v_1.JPEG", "v_2.JPEG")
        lines = ("ImageId,PredictionString", "v_2,n00009999 85 1 499 272 ", "v_1,n00009001 1 2 3 4 n00009001 5 6 7 8")
        assert labelled(list_images(root, labels=text(tmp_path / "l.csv", *lines), classes=thousand)) == {
            "v_1.JPEG": 998,
            "v_2.JPEG": 0,
        }

    def test_names_without_a_list_go_in_order_and_that_is_said(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "val", "1.png", "2.png")
        found = list_images(root, labels=text(tmp_path / "l.txt", "1.png n07", "2.png n03"))
        assert labelled(found) == {"1.png": 1, "2.png": 0}
        assert "counted from 0 in order" in found.remarks[1]

    @pytest.mark.parametrize(
        ("lines", "complaint"),
        [
            (("490", "361"), "line 1: .* development kit .* order of its own"),
            (("a.png 1000",), "a.png has label 1000; indices of classes are 0 to 999"),
            (("a.png -1",), "label -1"),
            (("b.png 1",), "no label for a.png"),
            ((), "holds no label"),
        ],
    )
    def test_what_cannot_be_a_label_is_refused(self, lines: tuple[str, ...], complaint: str, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match=complaint):
            list_images(folder(tmp_path / "val", "a.png"), labels=text(tmp_path / "l.txt", *lines))

    def test_a_picture_in_place_of_the_labels_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "l.txt").write_bytes(b"\xff\xd8\xff\xe0")
        with pytest.raises(DatasetError, match="not a file of text"):
            list_images(folder(tmp_path / "val", "a.png"), labels=tmp_path / "l.txt")


def test_a_folder_without_images_or_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no folder of images"):
        list_images(tmp_path / "none")
    with pytest.raises(DatasetError, match=r"no class folders.*--labels"):
        list_images(folder(tmp_path / "flat", "a.png"))
    with pytest.raises(DatasetError, match=r"holds no image.*\.jpeg"):
        list_images(folder(tmp_path / "text", "n01/readme.txt"))


@pytest.mark.parametrize(("lines", "complaint"), [(["n1"] * 1000, "names n1 twice"), (["n1", "n2"], "2 class names")])
def test_a_list_of_classes_that_is_none_is_refused(lines: list[str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=complaint):
        list_images(folder(tmp_path / "val", "n1/a.png"), classes=text(tmp_path / "c.txt", *lines))


class TestSample:
    @pytest.fixture
    def images(self, tmp_path: Path) -> ImageList:
        return list_images(folder(tmp_path / "val", *(f"n{index % 7}/{index:03d}.png" for index in range(100))))

    def test_it_is_the_same_for_the_same_seed_and_in_order(self, images: ImageList) -> None:
        first, again, other = (images.drawn(Sample(limit=20, seed=seed)) for seed in (1, 1, 2))
        assert first == again != other
        names = [one.name for one in first.images]
        assert len(set(names)) == 20
        assert names == sorted(names)
        assert len({one.label for one in first.images}) > 3, "not the first ones"
        assert first.population == 100
        assert first.remarks[-1] == "a random sample of 20 of 100 images (seed 1)"

    def test_all_are_taken_where_there_are_no_more(self, images: ImageList) -> None:
        assert images.drawn(Sample(limit=100, seed=1)) is images

    def test_the_checksum_is_that_of_names_and_labels(self, images: ImageList, tmp_path: Path) -> None:
        assert images.sha256 == list_images(tmp_path / "val").sha256
        assert images.sha256 != images.drawn(Sample(limit=99, seed=1)).sha256
        (tmp_path / "val" / "n1" / "001.png").rename(tmp_path / "val" / "n2" / "001.png")
        assert images.sha256 != list_images(tmp_path / "val").sha256
