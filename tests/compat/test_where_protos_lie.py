"""Protos in submodules, behind links, in other repositories and in what git ignores: the base is what the project's
repository had at the ref, and what it does not know is no pass."""

import json
import shutil
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from grpc_interop.compat.sides import Sources, read_base, read_head
from grpc_interop.compat.unlisted import comparable
from grpc_interop.errors import UsageError
from grpc_interop.session.protos import load_catalog
from repository import Repository

OLD, NEW = "message Said { int64 what = 1; }", "message Said { int32 what = 1; }"
CHANGED = ("TYPE_INT64", "TYPE_INT32")
FILE = "api/dep.proto"


class Projects:
    """A library with OLD in `api/dep.proto`, and beside it a project whose folder is the current one."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.library = Repository(place / "library")
        self.library.proto(FILE, OLD)
        self.library.commit()
        self.library.git("tag", "v1")
        self.project = Repository(place / "project")
        self.project.proto("protos/own.proto", "message Own {}")

    def configure(self, *roots: str, includes: tuple[str, ...] = (), excludes: tuple[str, ...] = ()) -> None:
        lines = [f"{key} = {list(value)}" for key, value in (("roots", roots), ("includes", includes), ("excludes", excludes))]
        self.project.write("interop.toml", "\n".join(["[protos]", *lines, ""]).replace("'", '"'))

    def importing(self) -> None:
        self.project.proto("protos/own.proto", 'import "dep.proto";\nmessage Ask { Said said = 1; }')

    def submodule(self, path: str = "lib") -> None:
        self.project.git("submodule", "--quiet", "add", str(self.library.folder), path)

    def bump(self, path: str = "lib") -> None:
        """The library goes on to NEW, and the submodule's work tree with it; the library's own tags and branches as well."""
        self.library.proto(FILE, NEW)
        self.library.commit()
        self.library.git("tag", "--force", "v1")
        self.project.git("-C", path, "pull", "--quiet", "--force", "--tags", "origin", "main")


@pytest.fixture
def projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Projects:
    made = Projects(tmp_path)
    monkeypatch.chdir(made.project.folder)
    return made


def type_of(sources: Sources) -> str:
    names = descriptor_pb2.FieldDescriptorProto.Type
    return names.Name(sources.catalog.message("t.Said").fields_by_name["what"].type)


def sides(projects: Projects, base: str = "HEAD", head: str | None = None) -> tuple[Sources, Sources]:
    options = projects.project.options()
    (old,), new = comparable([read_base(base, "base", options, head)], read_head(head, options))
    return old, new


def types(projects: Projects, base: str = "HEAD", head: str | None = None) -> tuple[str, str]:
    """The type of the field in both versions."""
    old, new = sides(projects, base, head)
    return type_of(old), type_of(new)


def touched(projects: Projects, ref: str = "HEAD") -> set[str]:
    """The messages that `--changed` runs."""
    return set(load_catalog(projects.project.options(changed=ref)).messages())


class TestSubmodules:
    """In each a submodule goes from OLD to NEW, whose own repository has the refs of the project, too: at NEW."""

    @pytest.fixture(params=["only root", "second root", "folder", "below a root", "behind a link", "include"])
    def submodule(self, request: pytest.FixtureRequest, projects: Projects) -> Projects:
        match request.param:
            case "only root":
                projects.configure("lib")
            case "second root":
                projects.configure("protos", "lib")
            case "folder":
                projects.configure("lib/api", "protos")
            case "below a root":
                projects.configure(".")
            case "behind a link":
                projects.project.link("protos/linked", "../lib/api")
            case "include":
                projects.importing()
                projects.configure("protos", includes=("lib/api",))
        projects.submodule()
        projects.project.commit()
        projects.project.git("tag", "v1")
        projects.project.git("checkout", "-qb", "feature")
        return projects

    @pytest.mark.parametrize("base", ["main", "HEAD", "v1"])
    def test_the_base_is_what_the_project_had_pinned(self, submodule: Projects, base: str) -> None:
        submodule.bump()
        assert types(submodule, base) == CHANGED

    def test_so_it_is_of_two_commits_of_the_project(self, submodule: Projects) -> None:
        """
        Whatever is checked out, and also where the submodule is not.
        """
        submodule.bump()
        submodule.project.commit()
        submodule.project.git("submodule", "--quiet", "deinit", "--force", "lib")
        assert types(submodule, "main", "feature") == CHANGED

    def test_what_is_not_committed_in_it_is_part_of_the_working_tree(self, submodule: Projects) -> None:
        submodule.project.proto(f"lib/{FILE}", NEW)
        assert types(submodule) == CHANGED

    def test_a_run_of_what_has_changed_sees_it(self, submodule: Projects) -> None:
        assert touched(submodule) == set()
        submodule.bump()
        assert touched(submodule, "main") & {"t.Said", "t.Ask"} != set()

    def test_a_work_tree_of_the_project_sees_it(self, submodule: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Its submodules keep their objects elsewhere.
        """
        project = submodule.project
        project.git("worktree", "add", "--quiet", "../tree", "-b", "other")
        project.git("-C", "../tree", "submodule", "--quiet", "update", "--init")
        (submodule.place / "tree/lib" / FILE).write_text(f'syntax = "proto3"; package t; {NEW}')
        monkeypatch.chdir(submodule.place / "tree")
        assert types(submodule, "main") == CHANGED

    def test_reading_touches_nothing(self, submodule: Projects) -> None:
        submodule.bump()
        before = submodule.project.git("status", "--porcelain", "--untracked-files=no"), submodule.project.git("-C", "lib", "status")
        types(submodule, "main")
        assert before == (
            submodule.project.git("status", "--porcelain", "--untracked-files=no"),
            submodule.project.git("-C", "lib", "status"),
        )


class TestSubmodulesThatComeAndGo:
    def test_one_within_another(self, projects: Projects) -> None:
        outer = Repository(projects.place / "outer")
        outer.git("submodule", "--quiet", "add", str(projects.library.folder), "inner")
        outer.commit()
        projects.project.git("submodule", "--quiet", "add", str(outer.folder), "outer")
        projects.project.git("submodule", "--quiet", "update", "--init", "--recursive")
        projects.configure("protos", "outer/inner")
        projects.project.commit()
        projects.bump("outer/inner")
        projects.project.git("-C", "outer", "-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "-qam", "bump")
        projects.project.commit()
        assert types(projects, "HEAD~1") == CHANGED
        assert types(projects, "HEAD~1", "HEAD") == CHANGED

    def test_one_that_was_moved(self, projects: Projects) -> None:
        """
        With interop.toml, and the root with it.
        """
        projects.submodule()
        projects.configure("lib")
        projects.project.commit()
        projects.project.git("mv", "lib", "elsewhere")
        projects.configure("elsewhere")
        projects.bump("elsewhere")
        assert types(projects) == CHANGED

    def test_one_that_became_plain_files_and_back(self, projects: Projects) -> None:
        projects.submodule()
        projects.configure("lib")
        projects.project.commit()
        projects.project.git("rm", "-q", "--cached", "lib")
        shutil.rmtree(projects.project.folder / "lib/.git", ignore_errors=True)
        (projects.project.folder / "lib/.git").unlink(missing_ok=True)
        projects.project.proto(f"lib/{FILE}", NEW)
        now = projects.project.commit()
        assert types(projects, "HEAD~1") == CHANGED
        assert types(projects, now, "HEAD~1") == CHANGED[::-1]

    def test_one_that_is_new_was_not_there(self, projects: Projects) -> None:
        projects.project.commit()
        projects.submodule()
        projects.configure("protos", "lib")
        base, head = sides(projects)
        assert (base.catalog.files, head.catalog.files) == (("own.proto",), (FILE, "own.proto"))

    def test_one_that_was_removed_is_gone(self, projects: Projects) -> None:
        projects.submodule()
        projects.configure("protos", "lib")
        projects.project.commit()
        projects.project.git("rm", "-q", "lib")
        projects.configure("protos")
        base, head = sides(projects)
        assert (base.catalog.files, head.catalog.files) == ((FILE, "own.proto"), ("own.proto",))

    def test_within_it_its_own_refs_count(self, projects: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Where it has an interop.toml of its own it is the project.
        """
        projects.library.write("interop.toml", '[protos]\nroots = ["api"]\n')
        projects.library.commit()
        projects.submodule()
        projects.project.commit()
        monkeypatch.chdir(projects.project.folder / "lib")
        (projects.project.folder / "lib" / FILE).write_text(f'syntax = "proto3"; package t; {NEW}')
        assert types(projects, "v1") == CHANGED


class TestSubmodulesThatAreNotHere:
    @pytest.fixture
    def shallow(self, projects: Projects, monkeypatch: pytest.MonkeyPatch) -> Projects:
        """A clone whose submodule has the newest commit only, and the commit before it in the project another one."""
        projects.configure(".")
        projects.submodule()
        projects.project.commit()
        projects.bump()
        projects.project.commit()
        url = f"file://{projects.library.folder}"
        projects.project.git("clone", "-q", ".", "../clone")
        projects.project.git("-C", "../clone", "config", "submodule.lib.url", url)
        projects.project.git("-C", "../clone", "submodule", "--quiet", "update", "--init", "--depth", "1")
        monkeypatch.chdir(projects.place / "clone")
        return projects

    @pytest.mark.parametrize("roots", [["lib"], ["protos", "lib/api"], ["."]])
    def test_a_commit_that_nobody_fetched_is_told_with_what_gets_it(self, shallow: Projects, roots: list[str]) -> None:
        pinned = shallow.project.git("rev-parse", "HEAD~1:lib")
        for read in (sides, touched):
            with pytest.raises(UsageError, match=f"the submodule lib was at {pinned[:10]} in .*, and that commit is not here") as raised:
                read(shallow, "HEAD~1")
            assert f"git -C lib fetch origin {pinned}" in raised.value.remedy
        (shallow.place / "clone/interop.toml").write_text(f"[protos]\nroots = {json.dumps(roots)}\n")
        with pytest.raises(UsageError, match="that commit is not here"):
            sides(shallow, "HEAD~1")
        shallow.project.git("-C", "../clone/lib", "fetch", "-q", "origin", pinned)
        assert types(shallow, "HEAD~1") == CHANGED

    def test_so_it_is_of_imports(self, shallow: Projects) -> None:
        (shallow.place / "clone/interop.toml").write_text('[protos]\nroots = ["protos"]\nincludes = ["lib/api"]\n')
        (shallow.place / "clone/protos/own.proto").write_text(
            'syntax = "proto3"; package t; import "dep.proto"; message Ask { Said s = 1; }'
        )
        shallow.project.git("-C", "../clone", "commit", "-qam", "import")
        shallow.project.git("-C", "../clone", "update-index", "--cacheinfo", f"160000,{shallow.project.git('rev-parse', 'HEAD~1:lib')},lib")
        shallow.project.git("-C", "../clone", "commit", "-qm", "back")
        with pytest.raises(UsageError, match=r"the submodule lib was at .*, and that commit is not here"):
            types(shallow)

    @pytest.mark.parametrize("roots", [("lib",), ("protos", "lib"), (".",)])
    def test_an_empty_folder_in_the_working_tree_is_no_removal(self, projects: Projects, roots: tuple[str, ...]) -> None:
        projects.submodule()
        projects.configure(*roots)
        projects.project.commit()
        projects.bump()
        projects.project.commit()
        projects.project.git("submodule", "--quiet", "deinit", "--force", "lib")
        with pytest.raises(UsageError) as raised:
            types(projects, "HEAD~1")
        assert "git submodule update --init lib" in str(raised.value)

    def test_what_both_versions_lack_in_the_same_commit_is_no_matter(self, projects: Projects) -> None:
        """
        A submodule below a root, of which nobody has anything: nothing in it can have changed.
        """
        projects.submodule()
        projects.configure(".")
        projects.project.commit()
        projects.project.git("submodule", "--quiet", "deinit", "--force", "lib")
        shutil.rmtree(projects.project.folder / ".git/modules/lib")
        base, head = sides(projects)
        assert base.catalog.files == head.catalog.files == ("protos/own.proto",)
        assert touched(projects) == set()

    def test_in_two_commits_it_is_a_matter(self, projects: Projects) -> None:
        projects.submodule()
        projects.configure(".")
        projects.project.commit()
        projects.bump()
        projects.project.commit()
        projects.project.git("submodule", "--quiet", "deinit", "--force", "lib")
        shutil.rmtree(projects.project.folder / ".git/modules/lib")
        for read in (sides, touched):
            with pytest.raises(UsageError, match="the submodule lib"):
                read(projects, "HEAD~1")
        with pytest.raises(UsageError, match="the submodule lib"):
            sides(projects, "HEAD~1", "HEAD")

    def test_what_is_excluded_is_no_matter(self, shallow: Projects) -> None:
        (shallow.place / "clone/interop.toml").write_text('[protos]\nroots = ["."]\nexcludes = ["lib/*"]\n')
        shallow.project.git("-C", "../clone", "commit", "-qam", "exclude")
        shallow.project.git("-C", "../clone", "update-index", "--cacheinfo", f"160000,{shallow.project.git('rev-parse', 'HEAD~1:lib')},lib")
        shallow.project.git("-C", "../clone", "commit", "-qm", "back")
        base, _ = sides(shallow)
        assert base.catalog.files == ("protos/own.proto",)


class TestLinks:
    @pytest.mark.parametrize(
        ("roots", "links", "place"),
        [
            (("protos",), {"protos/shop": "../ext/shop"}, "ext/shop/dep.proto"),
            (("protos",), {"protos/dep.proto": "../ext/any.txt"}, "ext/any.txt"),
            (("protos",), {"protos/shop": "../one", "one": "two", "two": "ext/shop"}, "ext/shop/dep.proto"),
            (("protos",), {"protos/shop": "../ext/shop", "ext/shop/back": "../../protos"}, "ext/shop/dep.proto"),
            (("linked",), {"linked": "ext"}, "ext/shop/dep.proto"),
            (("linked/shop", "protos"), {"linked": "ext"}, "ext/shop/dep.proto"),
            (("protos",), {"protos/shop": "../../project/ext/shop"}, "ext/shop/dep.proto"),
        ],
        ids=["folder", "file", "chain", "circle", "root", "on the way to a root", "out and in again"],
    )
    def test_they_lead_where_they_led_then(self, projects: Projects, roots: tuple[str, ...], links: dict[str, str], place: str) -> None:
        projects.project.proto(place, OLD)
        for name, target in links.items():
            projects.project.link(name, target)
        projects.configure(*roots)
        projects.project.commit()
        projects.project.proto(place, NEW)
        assert types(projects) == CHANGED
        assert touched(projects) == {"t.Said"}
        projects.project.commit()
        assert types(projects, "HEAD~1", "HEAD") == CHANGED

    def test_one_that_leads_elsewhere_now(self, projects: Projects) -> None:
        projects.project.proto("v1/dep.proto", OLD)
        projects.project.proto("v2/dep.proto", NEW)
        projects.project.link("protos/current", "../v1")
        projects.project.commit()
        (projects.project.folder / "protos/current").unlink()
        projects.project.link("protos/current", "../v2")
        assert types(projects) == CHANGED
        assert touched(projects) == {"t.Said"}

    @pytest.mark.parametrize("link", ["protos/api", "protos/dep.proto"])
    def test_one_that_leads_out_of_the_repository_has_no_history(self, projects: Projects, link: str) -> None:
        target = projects.library.folder / ("api" if link == "protos/api" else FILE)
        projects.project.link(link, str(target))
        projects.project.commit()
        for read in (sides, touched):
            with pytest.raises(UsageError, match=f"{link} led out of .*its files at that time are not known"):
                read(projects)
        projects.configure("protos", excludes=("api/*", "dep.proto"))
        base, _ = sides(projects)
        assert base.catalog.files == ("own.proto",)

    def test_one_that_leads_to_what_git_ignores_has_none_either(self, projects: Projects) -> None:
        """
        Of the working tree, and of two commits.
        """
        projects.project.proto("fetched/dep.proto", OLD)
        projects.project.write(".gitignore", "/fetched\n.interop\n")
        projects.project.link("protos/api", "../fetched")
        projects.project.commit()
        projects.project.commit()
        for head in (None, "HEAD"):
            with pytest.raises(UsageError, match=r"protos/api led to files that git ignores in .*its files at that time are not known"):
                sides(projects, "HEAD~1", head)

    def test_one_that_leads_to_no_proto_is_no_matter(self, projects: Projects) -> None:
        (projects.place / "tools").mkdir()
        projects.project.link("protos/tools", "../../tools")
        projects.project.link("protos/notes.txt", "../../nowhere.txt")
        projects.project.link("protos/gone", "../nowhere")
        projects.project.commit()
        base, head = sides(projects)
        assert base.catalog.files == head.catalog.files == ("own.proto",)


class TestWhatTheRepositoryDoesNotKeep:
    @pytest.fixture(params=["another repository", "a clone within", "ignored", "ignored but for its folder", "in no repository"])
    def folder(self, request: pytest.FixtureRequest, projects: Projects) -> str:
        """A folder with OLD that is no part of the project's history."""
        project = projects.project
        match request.param:
            case "another repository":
                return "../library/api"
            case "a clone within":
                project.git("clone", "-q", "../library", "clone")
                project.write(".gitignore", "clone\n.interop\n")
                return "clone/api"
            case "ignored":
                project.proto("fetched/dep.proto", OLD)
                project.write(".gitignore", "fetched/\n.interop\n")
                return "fetched"
            case "ignored but for its folder":
                project.proto("fetched/dep.proto", OLD)
                project.write("fetched/.gitignore", "*.proto\n")
                return "fetched"
            case _:
                (projects.place / "plain").mkdir()
                (projects.place / "plain/dep.proto").write_text(f'syntax = "proto3"; package t; {OLD}')
                return "../plain"

    @pytest.mark.parametrize("beside", [(), ("protos",)])
    def test_such_a_root_is_refused(self, projects: Projects, folder: str, beside: tuple[str, ...]) -> None:
        """
        Alone, and beside one that is kept; also where nothing in it has changed, which nobody can know.
        """
        projects.configure(*beside, folder)
        projects.project.commit()
        with pytest.raises(UsageError) as raised:
            sides(projects)
        assert folder in raised.value.what

    def test_such_a_root_is_not_new_because_it_was_not_listed(self, projects: Projects, folder: str) -> None:
        projects.project.commit()
        projects.configure("protos", folder)
        with pytest.raises(UsageError) as raised:
            sides(projects)
        assert folder in raised.value.what

    def test_a_root_that_was_asked_for_is_looked_up_where_it_lies(self, projects: Projects) -> None:
        """
        Without a project, or from within another.
        """
        projects.project.commit()
        projects.library.proto(FILE, NEW)
        options = projects.project.options(roots=["../library/api"])
        assert (type_of(read_base("v1", "base", options, None)), type_of(read_head(None, options))) == CHANGED

    def test_imports_from_it_are_refused_where_the_base_needs_them(self, projects: Projects, folder: str) -> None:
        projects.configure("protos", includes=(folder,))
        projects.project.commit()
        assert sides(projects)[0].warnings == ()
        projects.importing()
        projects.project.commit()
        if folder == "../plain":
            (warning,) = sides(projects)[0].warnings
            assert "dep.proto: imported from ../plain" in warning
        else:
            for read in (sides, touched):
                with pytest.raises(UsageError, match=r"dep\.proto") as raised:
                    read(projects)
                assert "folder" in str(raised.value)

    def test_what_is_new_and_not_committed_is_new(self, projects: Projects) -> None:
        projects.project.commit()
        projects.project.proto("more/dep.proto", NEW)
        projects.configure("protos", "more")
        base, head = sides(projects)
        assert (base.catalog.files, head.catalog.files) == (("own.proto",), ("dep.proto", "own.proto"))
