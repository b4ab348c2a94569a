"""Protos that buf builds, and images, in place of roots: what `run`, `list`, `init` and the pytest plugin make of interop.toml."""

import os
from pathlib import Path

import pytest

from grpc_interop.commands.init import init
from grpc_interop.commands.options import read_options
from grpc_interop.config import Options, as_arguments, find_project
from grpc_interop.errors import UsageError
from grpc_interop.schema.catalog import Catalog
from grpc_interop.schema.roots.buf_build import build_image, find_buf
from grpc_interop.schema.roots.root import Root
from grpc_interop.session.protos import load_catalog

SERVICE = 'syntax = "proto3"; package b; import "a/a.proto"; service S { rpc Do(a.A) returns (a.A); }'
REGISTRY = "buf.build/acme/other"


class Repository:
    """A buf workspace of the modules `one` and `two`, of which the second imports from the first; the current folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("buf.yaml", "version: v2\nmodules: [{path: one}, {path: two}]\n")
        self.write("one/a/a.proto", 'syntax = "proto3"; package a; message A { int32 n = 1; }')
        self.write("two/b/b.proto", SERVICE)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def protos(self, table: str) -> None:
        self.write("interop.toml", f"[protos]\n{table}\n")

    def options(self, **given: object) -> Options:
        return read_options(dict(given))

    def methods(self, **given: object) -> list[str]:
        return [method.path for method in load_catalog(self.options(**given)).methods()]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Without a network, and without what the user's buf has fetched."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BUF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BUF_CACHE_DIR", str(tmp_path / "nothing-fetched"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    return Repository(tmp_path)


class TestBuf:
    def test_the_modules_of_buf_yaml_are_driven(self, repository: Repository) -> None:
        repository.protos("buf = true")
        catalog = load_catalog(repository.options())
        assert catalog.files == ("a/a.proto", "b/b.proto")
        assert [method.path for method in catalog.methods()] == ["/b.S/Do"]

    def test_an_edit_is_built(self, repository: Repository) -> None:
        repository.protos("buf = true")
        assert repository.methods() == ["/b.S/Do"]
        repository.write("two/b/b.proto", SERVICE.replace("Do", "Act"))
        assert repository.methods() == ["/b.S/Act"]

    def test_excludes_are_not_driven(self, repository: Repository) -> None:
        repository.protos('buf = true\nexcludes = ["a/*"]')
        assert load_catalog(repository.options()).files == ("b/b.proto",)

    def test_roots_and_images_of_one_run_go_before(self, repository: Repository) -> None:
        repository.protos("buf = true")
        image = repository.write("x.binpb", "")
        image.write_bytes(Catalog.load([repository.folder / "one"], [], repository.folder / "cache").descriptor_set())
        for given in ({"roots": ("one",)}, {"image": image}):
            assert load_catalog(repository.options(**given)).files == ("a/a.proto",)

    def test_what_lies_in_a_registry_and_was_not_fetched_is_told_with_what_to_do(self, repository: Repository) -> None:
        """
        Be it that nobody has locked it yet, or that it cannot be fetched.
        """
        repository.protos("buf = true")
        repository.write("two/b/b.proto", 'syntax = "proto3"; import "other/o.proto"; message M {}')
        repository.write("buf.yaml", f"version: v2\nmodules: [{{path: one}}, {{path: two}}]\ndeps: [{REGISTRY}]\n")
        with pytest.raises(UsageError, match=r"two/b/b\.proto:1:") as raised:
            load_catalog(repository.options())
        assert "`buf dep update`" in raised.value.remedy
        digest = "b5:" + "0" * 128
        repository.write("buf.lock", f"version: v2\ndeps: [{{name: {REGISTRY}, commit: {'0' * 32}, digest: '{digest}'}}]\n")
        with pytest.raises(UsageError, match="buf cannot build the modules") as raised:
            load_catalog(repository.options())
        assert "`buf dep update`" in raised.value.remedy

    def test_protos_that_are_wrong_are_told_in_bufs_words(self, repository: Repository) -> None:
        repository.protos("buf = true")
        repository.write("two/b/b.proto", 'syntax = "proto3"; message')
        with pytest.raises(UsageError, match=r"two/b/b\.proto:1:"):
            load_catalog(repository.options())

    def test_without_a_buf_yaml_it_is_refused(self, repository: Repository) -> None:
        repository.protos("buf = true")
        (repository.folder / "buf.yaml").unlink()
        with pytest.raises(UsageError, match=r"has no buf\.yaml"):
            load_catalog(repository.options())

    def test_without_buf_it_is_said_what_to_install(self, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shutil.which", lambda *_, **__: None)
        assert find_buf() is None
        with pytest.raises(UsageError, match="buf is not installed"):
            build_image(repository.folder, repository.folder / "cache")

    def test_init_writes_it_where_a_registry_is_needed(self, repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
        """
        Of a dependency that no file imports, nothing has to be fetched.
        """
        repository.write("buf.yaml", f"version: v2\nmodules: [{{path: one}}, {{path: two}}]\ndeps: [{REGISTRY}]\n")
        assert init(repository.folder, ()) == 0
        assert "buf = true" in capsys.readouterr().out
        assert find_project(repository.folder).buf
        assert repository.methods() == ["/b.S/Do"]

    def test_init_ends_in_1_where_it_cannot_be_had(self, repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
        repository.write("buf.yaml", f"version: v2\nmodules: [{{path: one}}, {{path: two}}]\ndeps: [{REGISTRY}]\n")
        repository.write("two/b/b.proto", 'syntax = "proto3"; import "other/o.proto"; message M {}')
        assert init(repository.folder, ()) == 1
        assert "`buf dep update`" in capsys.readouterr().err
        assert find_project(repository.folder).buf


class TestImage:
    @pytest.fixture
    def image(self, repository: Repository) -> Path:
        built = build_image(repository.folder, repository.folder / "cache")
        return built.rename(repository.folder / "all.binpb")

    def test_an_image_is_driven(self, repository: Repository, image: Path) -> None:
        """
        Named from interop.toml, wherever the command is run.
        """
        repository.protos(f'image = "{image.name}"\nexcludes = ["a/*"]')
        assert repository.options().image == image
        assert load_catalog(repository.options()).files == ("b/b.proto",)

    def test_one_that_is_not_there_is_told(self, repository: Repository) -> None:
        repository.protos('image = "gone.binpb"')
        with pytest.raises(UsageError, match=r"gone\.binpb: No such file"):
            load_catalog(repository.options())

    def test_jobs_and_workers_get_the_same(self, repository: Repository, image: Path) -> None:
        repository.protos(f'image = "{image.name}"')
        assert "--image" not in as_arguments(repository.options())
        assert "--proto-path" in as_arguments(repository.options(roots=("one",)))
        assert repository.options(roots=("one",)).roots == (Root(repository.folder / "one"),)
        assert repository.options(roots=("one",)).image is None


@pytest.mark.parametrize(
    "table",
    [
        'roots = ["one"]\nimage = "x.binpb"',
        'roots = ["one"]\nbuf = true',
        'buf = true\nimage = "x.binpb"',
        'buf = true\nincludes = ["one"]',
        'image = "x.binpb"\nincludes = ["one"]',
        "buf = 1",
        "image = true",
    ],
)
def test_keys_that_contradict_each_other_are_refused(repository: Repository, table: str) -> None:
    repository.protos(table)
    with pytest.raises(UsageError, match=r"interop\.toml: "):
        repository.options()


@pytest.mark.parametrize("table", ["buf = true", 'image = "x.binpb"'])
def test_an_include_without_a_root_is_refused(repository: Repository, table: str) -> None:
    repository.protos(table)
    with pytest.raises(UsageError, match="--include goes with --proto-path"):
        repository.options(includes=("one",))


def test_buf_may_be_said_to_be_of_no_use(repository: Repository) -> None:
    repository.protos('buf = false\nimage = ""\nroots = ["one"]')
    assert load_catalog(repository.options()).files == ("a/a.proto",)


@pytest.mark.parametrize("how", ["buf = true", 'image = "all.binpb"', "--interop-image"])
def test_the_pytest_plugin_takes_them(repository: Repository, pytester: pytest.Pytester, how: str) -> None:
    built = build_image(repository.folder, repository.folder / "cache")
    built.rename(pytester.path / "all.binpb")
    for name in ("buf.yaml", "one", "two"):
        (pytester.path / name).symlink_to(repository.folder / name)
    (pytester.path / "interop.toml").write_text("" if how.startswith("--") else f"[protos]\n{how}\n")
    pytester.makepyfile(test_all="def test_interop(interop_case): ...")
    words = [how, "all.binpb"] if how.startswith("--") else []
    ended = pytester.runpytest_subprocess(
        *words, "--collect-only", "-q", "--interop-suite=calls", "--interop-client=py", "--interop-server=py"
    )
    assert "test_all.py::test_interop[calls/b.S/Do/one-py:py]" in ended.outlines
