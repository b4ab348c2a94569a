"""Builds: request and answer, keys, failures in the build's own words, and builds that meet or are cut short."""

import errno
import json
import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from grpc_interop.drivers.build import Builder, Built, Launch, Protos, RefusedFile
from grpc_interop.drivers.build_cache import DONE, KEPT
from grpc_interop.drivers.manifest import read_manifest
from grpc_interop.errors import BuildError

PROTOS = Protos(b"a descriptor set", ("a.proto", "b.proto"))

ANSWER = {"driver": {"argv": ["/bin/driver"], "env": {"A": "1"}}}


class Project:
    """An implementation `mine` whose build command is the text of a Python program, and a builder for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "mine"
        self.folder.mkdir()
        self.contract = folder / "proto"
        (self.contract / "interop/driver/v1").mkdir(parents=True)
        (self.contract / "interop/driver/v1/driver.proto").write_text("// the contract")
        self.builder = Builder(folder / ".interop", self.contract)
        self.manifest("")

    def manifest(self, more: str) -> None:
        table = f'name = "mine"\n[build]\ncommand = ["python3", "build.py"]\nsources = ["src/*"]\n{more}'
        (self.folder / "interop.toml").write_text(table)

    def program(self, body: str) -> None:
        """`request` is at hand, `answer(...)` writes the answer, and each run leaves a line in `runs`."""
        head = (
            "import json, os, sys, time\n"
            "request = json.load(open(sys.argv[1]))\n"
            "def answer(value): open(request['answer'], 'w').write(json.dumps(value))\n"
            f"open({str(self.folder / 'runs')!r}, 'a').write('run\\n')\n"
        )
        (self.folder / "build.py").write_text(head + body)

    def build(self, protos: Protos = PROTOS) -> Built:
        return self.builder.build(read_manifest(self.folder), protos)

    @property
    def runs(self) -> int:
        path = self.folder / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def project(tmp_path) -> Project:
    made = Project(tmp_path)
    made.program(f"answer({ANSWER})")
    return made


class TestRequest:
    def test_holds_what_the_manifest_page_says(self, project, tmp_path):
        project.program(
            "request['tree'] = open(request['descriptor_set']).read()\n"
            "request['proto'] = open(os.path.join(request['contract']['include'], request['contract']['file'])).read()\n"
            "request['found'] = [os.path.isdir(request['out']), os.path.isdir(request['cache']), os.getcwd()]\n"
            "answer({'driver': {'argv': [json.dumps(request)]}})"
        )
        built = project.build()
        assert built.driver is not None
        request = json.loads(built.driver.argv[0])
        assert (request["schema"], request["action"], request["files"]) == (1, "build", ["a.proto", "b.proto"])
        assert (request["tree"], request["proto"]) == ("a descriptor set", "// the contract")
        assert request["found"] == [True, True, str(project.folder)]
        assert request["cache"] == str(tmp_path / ".interop/cache/mine")

    def test_environment_is_scrubbed_but_for_what_is_asked(self, project, monkeypatch):
        for name in ("http_proxy", "PYTHONPATH", "MINE"):
            monkeypatch.setenv(name, "x")
        project.manifest('env = ["MINE"]')
        project.program("answer({'driver': {'argv': sorted(os.environ)}})")
        built = project.build()
        assert built.driver is not None
        assert {"http_proxy", "PYTHONPATH", "MINE"} & set(built.driver.argv) == {"MINE"}


class TestAnswer:
    def test_driver_programs_and_errors(self, project):
        programs = {"greeter-server": {"argv": ["/bin/server"]}}
        errors = [{"file": "b.proto", "text": "no"}]
        project.program(f"answer({ {**ANSWER, 'programs': programs, 'errors': errors} })")
        built = project.build()
        assert built.driver == Launch(("/bin/driver",), {"A": "1"})
        assert built.programs == {"greeter-server": Launch(("/bin/server",), {})}
        assert built.refused == (RefusedFile("b.proto", "no"),)

    def test_missing_toolchain_is_told_and_looked_for_again(self, project):
        project.program("answer({'unavailable': {'what': 'Mylang 3', 'remedy': 'install it'}})")
        assert project.build().unavailable == ("Mylang 3", "install it")
        project.build()
        assert project.runs == 2

    def test_failure_has_the_last_words(self, project):
        project.program("print('src/a: line 7: what?'); sys.exit(4)")
        with pytest.raises(BuildError) as error:
            project.build()
        assert "mine: the build command exited with status 4; its last words" in str(error.value)
        assert "src/a: line 7: what?" in str(error.value)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ("", "the build command wrote no answer"),
            ("open(request['answer'], 'w').write('{')", "is not JSON"),
            ("answer([])", "the build's answer is not as docs/manifest.md says"),
            ("answer({'driver': {}})", "the build's answer is not as docs/manifest.md says"),
        ],
        ids=["none", "not JSON", "a list", "a driver without argv"],
    )
    def test_answer_that_is_none_is_told_and_not_kept(self, project, body, words):
        project.program(body)
        with pytest.raises(BuildError, match=words):
            project.build()
        with pytest.raises(BuildError, match=words):
            project.build()
        assert project.runs == 2

    def test_command_that_cannot_be_started(self, project):
        (project.folder / "interop.toml").write_text('name = "mine"\n[build]\ncommand = ["no-such-program"]')
        with pytest.raises(BuildError, match="cannot start no-such-program: No such file or directory"):
            project.build()


class TestKey:
    def test_equal_content_is_built_once(self, project):
        assert project.build().fresh
        again = project.build()
        assert (again.driver, again.fresh, project.runs) == (Launch(("/bin/driver",), {"A": "1"}), False, 1)

    def test_sources_protos_contract_environment_and_tools_count(self, project, monkeypatch, tmp_path):
        tool = tmp_path / "bin" / "mytool"
        tool.parent.mkdir()
        tool.write_text("1")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
        (project.folder / "src").mkdir()
        project.manifest('env = ["MINE"]\ntools = ["mytool"]')
        project.build()
        changes = [
            lambda: (project.folder / "src" / "a").write_text("1"),
            lambda: (project.folder / "src" / "a").write_text("2"),
            lambda: (project.folder / "src" / "a").rename(project.folder / "src" / "b"),
            lambda: (project.contract / "interop/driver/v1/driver.proto").write_text("// another"),
            lambda: monkeypatch.setenv("MINE", "1"),
            lambda: tool.write_text("another"),
        ]
        for number, change in enumerate(changes, 2):
            change()
            project.build()
            project.build()
            assert project.runs == number
        project.build(Protos(b"another", PROTOS.files))
        project.build(Protos(PROTOS.descriptor_set, ("a.proto",)))
        assert project.runs == len(changes) + 3

    def test_what_does_not_count(self, project):
        project.build()
        (project.folder / "notes").write_text("not among the sources")
        assert not project.build().fresh


class TestKept:
    def test_is_what_needs_no_building(self, project):
        manifest = read_manifest(project.folder)
        assert not project.builder.keeps(manifest, PROTOS)
        project.build()
        assert project.builder.keeps(manifest, PROTOS)
        assert not project.builder.keeps(manifest, Protos(b"another", PROTOS.files))

    def test_a_build_that_failed_is_not(self, project):
        project.program("sys.exit(1)")
        with pytest.raises(BuildError):
            project.build()
        assert not project.builder.keeps(read_manifest(project.folder), PROTOS)

    def test_what_has_no_build_command_is(self, project):
        (project.folder / "interop.toml").write_text('name = "mine"\n[run]\ndriver = ["/bin/driver"]')
        assert project.builder.keeps(read_manifest(project.folder), PROTOS)


class TestMeeting:
    def test_two_at_once_build_once(self, project):
        project.program(f"time.sleep(0.5); answer({ANSWER})")
        built: list[Built] = []
        others = [Builder(project.builder.root, project.contract) for _ in range(2)]
        manifest = read_manifest(project.folder)
        threads = [threading.Thread(target=lambda b=b: built.append(b.build(manifest, PROTOS))) for b in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert project.runs == 1
        assert [one.driver for one in built] == [Launch(("/bin/driver",), {"A": "1"})] * 2
        assert sorted(one.fresh for one in built) == [False, True]

    def test_interrupted_build_is_begun_again_from_nothing(self, project):
        project.program("open(os.path.join(request['out'], 'half'), 'w'); time.sleep(3600)")
        failures: list[BuildError] = []

        def build() -> None:
            try:
                project.build()
            except BuildError as error:
                failures.append(error)

        thread = threading.Thread(target=build)
        thread.start()
        limit = time.monotonic() + 10
        while not list(project.builder.root.glob("build/mine-*/half")) and time.monotonic() < limit:
            time.sleep(0.01)
        project.builder.cancel()
        thread.join(10)
        assert "was killed by SIGKILL" in str(failures[0])
        [half] = project.builder.root.glob("build/mine-*/half")
        # The same sources: it is the interrupted build itself that is redone.
        again = Builder(project.builder.root, project.contract)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(again, "_key", lambda *_: half.parent.name.removeprefix("mine-"))
            project.program(f"answer({ANSWER})")
            assert again.build(read_manifest(project.folder), PROTOS).fresh
        assert not half.exists()

    def test_nothing_is_built_after_cancel(self, project):
        project.builder.cancel()
        with pytest.raises(BuildError, match="not built, since the run was stopped"):
            project.build()
        assert project.runs == 0


class TestKeeping:
    def test_use_is_noted(self, project):
        project.build()
        (done,) = project.builder.root.glob(f"build/*/{DONE}")
        os.utime(done, (0, 0))
        assert not project.build().fresh
        assert done.stat().st_mtime > 0

    @pytest.mark.parametrize("part", [0, 2], ids=["empty", "half"])
    @pytest.mark.parametrize("file", [DONE, "driver", "tree/deep/module"])
    def test_what_a_full_disk_or_a_crash_has_cut_short_is_built_anew(self, project, file, part):
        project.program(
            "out = request['out']\n"
            "os.makedirs(out + '/tree/deep')\n"
            "for name in ('driver', 'tree/deep/module'): open(f'{out}/{name}', 'w').write('whole')\n"
            "answer({'driver': {'argv': [out + '/driver']}})"
        )
        first = project.build()
        (kept,) = project.builder.root.glob(f"build/mine-*/{file}")
        os.truncate(kept, part and kept.stat().st_size // part)
        assert not project.builder.keeps(read_manifest(project.folder), PROTOS)
        again = project.build()
        assert (again.driver, again.fresh) == (first.driver, True)
        assert not project.build().fresh

    def test_a_build_is_made_anew_when_a_file_of_it_is_gone(self, project):
        project.build()
        (log,) = project.builder.root.glob("build/mine-*/build.log")
        log.unlink()
        assert project.build().fresh

    def test_what_a_driver_writes_beside_its_build_changes_nothing(self, project):
        project.build()
        (out,) = project.builder.root.glob("build/mine-*/")
        (out / "cached").write_text("by the driver")
        assert not project.build().fresh

    def test_a_disk_without_room_is_told_of_the_implementation(self, project, monkeypatch):
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", "/x/.interop/build/tree.binpb")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(BuildError, match=r"mine cannot be built: /x/.interop/build/tree.binpb: No space left on device"):
            project.build()

    def test_a_build_that_filled_the_disk_gives_its_room_back_but_for_its_words(self, project, monkeypatch):
        project.program("import pathlib\nout = pathlib.Path(request['out'])\n(out / 'half').mkdir(); print('no room'); sys.exit(1)")
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
        with pytest.raises(BuildError, match=r"(?s)the disk of .* is full; its last words .*no room"):
            project.build()
        (out,) = project.builder.root.glob("build/mine-*/")
        assert [path.name for path in out.iterdir()] == ["build.log"]

    def test_a_new_build_removes_those_that_have_served(self, project):
        project.build()
        for number in range(2 * KEPT):
            old = project.builder.root / "build" / f"mine-{number:020x}"
            old.mkdir()
            os.utime(old, (number, number))
        project.manifest("# another key\n")
        assert project.build().fresh
        assert len(list(project.builder.root.glob("build/*/"))) == KEPT
        assert not project.build().fresh

    def test_a_build_in_a_read_only_folder_is_used_as_it_is(self, project, monkeypatch):
        built = project.build()
        folder = project.builder.root / "build"
        (done,) = folder.glob(f"*/{DONE}")
        for lock in folder.glob("*.lock"):
            lock.unlink()
        os.utime(done, (0, 0))
        access = os.access
        monkeypatch.setattr("os.access", lambda path, mode: path != folder and access(path, mode))
        again = project.build()
        assert (again.driver, again.fresh) == (built.driver, False)
        assert done.stat().st_mtime == 0
        assert list(folder.iterdir()) == [done.parent]


class TestDoctor:
    def test_tells_of_each_tool(self, project):
        tool = {"name": "mylang", "version": "3", "where": "/bin/mylang", "ok": False, "remedy": "install it"}
        project.program(f"assert request['action'] == 'doctor'; answer({{'tools': [{tool}]}})")
        [found] = project.builder.doctor(read_manifest(project.folder))
        assert (found.name, found.version, found.ok, found.remedy) == ("mylang", "3", False, "install it")
