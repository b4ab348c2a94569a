"""Sides of projects whose protos buf builds, or an image holds: at a git ref they are what they were there."""

import os
from pathlib import Path

import pytest

from grpc_interop.compat.sides import Sources, read_base, read_head
from grpc_interop.compat.unlisted import comparable
from grpc_interop.errors import UsageError
from grpc_interop.schema.roots.buf_build import build_image
from grpc_interop.session.protos import load_catalog
from repository import Repository

SERVICE = 'syntax = "proto3"; package b; import "a/a.proto"; service S { rpc Do(a.A) returns (a.A); rpc Ping(N) returns (N); } message N {}'
REGISTRY = "buf.build/acme/other"


class Project(Repository):
    """The module `one` has a.A, whose field n is an int32 first; `two` imports it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.write("interop.toml", "[protos]\nbuf = true\n")
        self.write("buf.yaml", "version: v2\nmodules: [{path: one}, {path: two}]\n")
        self.write("two/b/b.proto", SERVICE)
        self.field("int32")

    def field(self, kind: str) -> None:
        self.write("one/a/a.proto", f'syntax = "proto3";\npackage a;\nmessage A {{\n  {kind} n = 1;\n}}\n')

    def image(self) -> None:
        """Writes all.binpb, and has it be what interop.toml names."""
        build_image(self.folder, self.folder / ".interop" / "cache").replace(self.folder / "all.binpb")
        self.write("interop.toml", '[protos]\nimage = "all.binpb"\n')

    def sides(self, base: str = "HEAD", head: str | None = None) -> tuple[Sources, Sources]:
        """As a comparison takes them: with what each lists and the other has."""
        options = self.options()
        [then], now = comparable([read_base(base, "base", options, head)], read_head(head, options))
        return then, now

    def kinds(self, base: str = "HEAD") -> list[str]:
        """The types of the field, then and now."""
        return [kind(side) for side in self.sides(base)]


def kind(side: Sources) -> str:
    [file] = [file for file in side.catalog.file_protos if file.name == "a/a.proto"]
    return file.message_type[0].field[0].Type.Name(file.message_type[0].field[0].type)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """In the current folder, without a network, and without what the user's buf has fetched."""
    for name in [name for name in os.environ if name.startswith("BUF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BUF_CACHE_DIR", str(tmp_path / "nothing-fetched"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    made = Project(tmp_path / "project")
    made.commit()
    monkeypatch.chdir(made.folder)
    return made


class TestBuf:
    def test_each_side_is_built_from_its_own_files(self, project: Project) -> None:
        project.field("int64")
        assert project.kinds() == ["TYPE_INT32", "TYPE_INT64"]
        for side in project.sides():
            assert side.catalog.files == ("a/a.proto", "b/b.proto")

    def test_a_place_is_a_line_of_a_file(self, project: Project) -> None:
        """
        Also of one that has been moved since.
        """
        (project.folder / "one").rename(project.folder / "uno")
        project.write("buf.yaml", "version: v2\nmodules: [{path: uno}, {path: two}]\n")
        base, head = project.sides()
        assert [side.location("a/a.proto", 4).path for side in (base, head)] == ["one/a/a.proto", "uno/a/a.proto"]

    def test_modules_are_those_of_then(self, project: Project) -> None:
        project.write("three/c/c.proto", 'syntax = "proto3"; package c; service T { rpc New(M) returns (M); } message M {}')
        project.write("buf.yaml", "version: v2\nmodules: [{path: one}, {path: two}, {path: three}]\n")
        base, head = project.sides()
        assert [method.path for method in base.catalog.methods()] == ["/b.S/Do", "/b.S/Ping"]
        assert "/c.T/New" in [method.path for method in head.catalog.methods()]

    def test_a_project_below_the_repositorys_top(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        (project.folder / "deep" / "er").mkdir(parents=True)
        for name in ("interop.toml", "buf.yaml", "one", "two"):
            project.git("mv", name, f"deep/er/{name}")
        project.commit()
        monkeypatch.chdir(project.folder / "deep" / "er")
        project.write("deep/er/one/a/a.proto", 'syntax = "proto3"; package a; message A { string n = 1; }')
        assert project.kinds() == ["TYPE_INT32", "TYPE_STRING"]

    @pytest.mark.parametrize("turned", [False, True])
    def test_roots_that_became_modules_and_the_other_way_round(self, project: Project, turned: bool) -> None:
        """
        Each side is read as interop.toml says there.
        """
        tables = ['roots = ["one", "two"]', "buf = true"]
        before, after = reversed(tables) if turned else tables
        project.write("interop.toml", f"[protos]\n{before}\n")
        project.commit()
        project.write("interop.toml", f"[protos]\n{after}\n")
        project.field("int64")
        assert project.kinds() == ["TYPE_INT32", "TYPE_INT64"]
        assert [list(side.catalog.files) for side in project.sides()] == [["a/a.proto", "b/b.proto"]] * 2

    def test_before_there_was_an_interop_toml_it_was_built_as_it_is_now(self, project: Project) -> None:
        (project.folder / "interop.toml").unlink()
        project.commit()
        project.write("interop.toml", "[protos]\nbuf = true\n")
        project.field("int64")
        assert project.kinds() == ["TYPE_INT32", "TYPE_INT64"]

    def test_before_there_was_a_buf_yaml_nobody_knows(self, project: Project) -> None:
        for name in ("interop.toml", "buf.yaml"):
            project.git("mv", name, f"{name}.away")
        project.commit()
        for name in ("interop.toml", "buf.yaml"):
            project.git("mv", f"{name}.away", name)
        with pytest.raises(UsageError, match=r"has no buf\.yaml"):
            project.sides()

    def test_what_was_not_fetched_is_told(self, project: Project) -> None:
        """
        Of the base as of the head; the place where it was written to is not.
        """
        buf_yaml = (project.folder / "buf.yaml").read_text()
        project.write("buf.yaml", f"{buf_yaml}deps: [{REGISTRY}]\n")
        project.write("two/b/b.proto", 'syntax = "proto3"; package b; import "other/o.proto"; message M {}')
        project.commit()
        project.git("checkout", "-q", "HEAD~1", ".")
        with pytest.raises(UsageError, match=r"project:\n.*other/o\.proto|does not exist") as raised:
            project.sides()
        assert "`buf dep update`" in raised.value.remedy
        assert "interop-history" not in str(raised.value)

    def test_a_module_in_a_submodule_is_what_was_pinned(self, project: Project, tmp_path: Path) -> None:
        library = Repository(tmp_path / "library")
        library.write("a/a.proto", 'syntax = "proto3"; package a; message A { int32 n = 1; }')
        library.commit()
        project.git("rm", "-qr", "one")
        project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.folder), "one")
        project.commit()
        library.write("a/a.proto", 'syntax = "proto3"; package a; message A { string n = 1; }')
        library.commit()
        project.git("-C", "one", "pull", "--quiet", "origin", "main")
        assert project.kinds() == ["TYPE_INT32", "TYPE_STRING"]

    def test_only_what_has_changed_is_run(self, project: Project) -> None:
        project.field("int64")
        assert [method.path for method in load_catalog(project.options(changed="HEAD")).methods()] == ["/b.S/Do"]


class TestImage:
    def test_each_side_is_the_image_of_its_own(self, project: Project) -> None:
        project.image()
        project.commit()
        project.field("int64")
        project.image()
        assert project.kinds() == ["TYPE_INT32", "TYPE_INT64"]
        assert [method.path for method in load_catalog(project.options(changed="HEAD")).methods()] == ["/b.S/Do"]

    def test_one_that_was_not_in_git_is_no_pass(self, project: Project) -> None:
        """
        Nor is one that git ignores, though it is there now.
        """
        project.write(".gitignore", "*.binpb\n")
        project.image()
        project.commit()
        with pytest.raises(UsageError, match=r"all\.binpb was not in .* at the base \(HEAD, .*\)") as raised:
            project.sides()
        assert "--base FILE" in raised.value.remedy
        with pytest.raises(UsageError, match="was not in"):
            load_catalog(project.options(changed="HEAD"))

    def test_modules_that_became_an_image(self, project: Project) -> None:
        project.field("int64")
        project.image()
        assert project.kinds() == ["TYPE_INT32", "TYPE_INT64"]


def test_a_comparison_plays_what_buf_built(project: Project) -> None:
    """
    A break is told at the line of the file.
    """
    project.field("string")
    ended = project.interop("compat", "--base", "HEAD", "--client", "py", "--server", "py")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "a.A.n" in ended.stdout
    assert [change["head"]["path"] for change in project.compared["changes"] if change["element"] == "a.A.n"] == ["one/a/a.proto"]
