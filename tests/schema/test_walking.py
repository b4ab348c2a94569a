"""Which files lie below a root, and under which name, where links lead elsewhere, to each other or in circles."""

from pathlib import Path

import pytest

from grpc_interop.schema.roots.roots import ProtoError, root_files


class Folder:
    """`protos` is the root; files hold nothing."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.root = place / "protos"
        self.root.mkdir()

    def file(self, name: str) -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def link(self, name: str, target: str) -> None:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def names(self, *excludes: str) -> list[str]:
        return list(root_files([self.root], excludes))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.file("protos/own/own.proto")
    return made


def test_what_lies_behind_a_link_is_found_under_the_links_name(folder: Folder) -> None:
    """
    Folders, folders within them, files, and links to links.
    """
    folder.file("ext/shop/v1/shop.proto")
    folder.file("ext/one.proto")
    folder.link("protos/shop", "../ext/shop")
    folder.link("protos/uno.proto", "../ext/one.proto")
    folder.link("ext/shop/more", "../../far")
    folder.link("far", "further")
    folder.file("further/far.proto")
    assert folder.names() == ["own/own.proto", "shop/more/far.proto", "shop/v1/shop.proto", "uno.proto"]


def test_a_root_may_hold_links_only(folder: Folder) -> None:
    folder.link("links/own", str(folder.root / "own"))
    assert list(root_files([folder.place / "links"])) == ["own/own.proto"]


def test_circles_end(folder: Folder) -> None:
    """
    A link upwards, one to itself, and two folders that lead to each other.
    """
    folder.link("protos/own/up", "..")
    folder.link("protos/itself", "itself")
    folder.link("protos/there", "../there")
    folder.file("there/there.proto")
    folder.link("there/back", "../protos/own")
    folder.link("there/again", ".")
    assert folder.names() == ["own/own.proto", "there/there.proto"]


def test_a_file_of_two_names_is_one_file(folder: Folder) -> None:
    """
    The name without a link counts; of two links the first.
    """
    folder.link("protos/also", "own")
    folder.link("protos/own/also.proto", "own.proto")
    folder.file("ext/e.proto")
    folder.link("protos/one", "../ext")
    folder.link("protos/two", "../ext")
    assert folder.names() == ["one/e.proto", "own/own.proto"]


def test_of_several_names_the_one_counts_that_is_imported(folder: Folder) -> None:
    """
    A compiler takes the other name for another file, which defines everything twice.
    """
    folder.link("protos/alias", "own")
    folder.file("ext/e.proto")
    folder.link("protos/one", "../ext")
    folder.link("protos/two", "../ext")
    (folder.root / "user.proto").write_text("import 'two/e.proto'; import \"alias/own.proto\";")
    assert folder.names() == ["alias/own.proto", "two/e.proto", "user.proto"]
    assert folder.names("own/*") == ["two/e.proto", "user.proto"]


def test_many_folders_that_lead_to_each_other_take_no_longer_than_few(folder: Folder) -> None:
    """
    Of 30 folders that hold links to all others there are more paths than could ever be walked.
    """
    for one in range(30):
        folder.file(f"web/{one}/{one}.proto")
        for other in range(30):
            folder.link(f"web/{one}/to{other}", f"../{other}")
    folder.link("protos/web", "../web/0")
    assert len(folder.names()) == 31


def test_two_roots_may_share_what_they_link_to(folder: Folder) -> None:
    """
    One file is no clash of names.
    """
    folder.link("more/own", "../protos/own")
    folder.file("more/m.proto")
    assert list(root_files([folder.root, folder.place / "more"])) == ["m.proto", "own/own.proto"]


def test_what_is_excluded_stays_out_behind_a_link(folder: Folder) -> None:
    """
    Unless the link's own name alone is excluded: then another link's counts.
    """
    folder.link("protos/zwei", "own")
    folder.file("ext/e.proto")
    folder.link("protos/first", "../ext")
    folder.link("protos/second", "../ext")
    folder.file("protos/kept.proto")
    assert folder.names("own/*", "first/*") == ["kept.proto", "second/e.proto"]


def test_a_link_to_nothing_is_refused_unless_it_is_excluded(folder: Folder) -> None:
    folder.link("protos/gone.proto", "nowhere.proto")
    with pytest.raises(ProtoError, match=r"gone\.proto is a link to nothing"):
        folder.names()
    assert folder.names("gone.proto") == ["own/own.proto"]
