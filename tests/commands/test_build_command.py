"""`interop build` and `interop doctor`."""

import subprocess
import sys
from pathlib import Path

from project import SECONDS, MakeImplementation, Project, environment


def test_programs_are_launched_from_bin(project: Project, tmp_path: Path) -> None:
    """
    A build leaves launchers of the hand-written programs, which work from any folder.
    """
    ended = project.interop("build")
    assert ended.status == 0
    assert "py: .interop/bin/py-greeter-client" in ended.out.splitlines()
    client = project.folder / ".interop" / "bin" / "py-greeter-client"
    nobody = [str(client), "--target", "127.0.0.1:1", "--timeout", "5", "say-hello", "World"]
    called = subprocess.run(nobody, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False)
    assert called.returncode == 1 and called.stderr.startswith("error: UNAVAILABLE:")


def test_an_unchanged_build_is_found_again(project: Project) -> None:
    """
    The second time nothing is built.
    """
    project.interop("build", "py")
    assert project.interop("build", "py").out.splitlines()[0] == "py: unchanged"


def test_a_changed_proto_is_built_anew(project: Project, tmp_path: Path) -> None:
    """
    An edit of a proto is an edit of the build.
    """
    proto = tmp_path / "protos" / "a.proto"
    proto.parent.mkdir()
    for field, how in (("one", "built"), ("two", "built"), ("one", "unchanged")):
        proto.write_text(f'syntax = "proto3";\npackage a;\nmessage M {{ string {field} = 1; }}\n')
        assert project.interop("build", "--proto-path", proto.parent).out.splitlines()[0] == f"py: {how}"


def test_an_edited_comment_builds_nothing(project: Project, tmp_path: Path) -> None:
    """
    What generators and compilers make of a tree does not hang on its comments, nor on where lines begin; nor does it of
    an image that was made with source info.
    """
    proto = tmp_path / "protos" / "c.proto"
    proto.parent.mkdir()
    tree, image = (("--proto-path", proto.parent), ("--image", tmp_path / "image.binpb"))
    for comment, how in (("", "built"), ("// What M is.\n\n", "unchanged")):
        proto.write_text(f'syntax = "proto3";\npackage c;\n{comment}message M {{}}\n')
        make_image = [f"-I{proto.parent}", "--include_source_info", f"--descriptor_set_out={tmp_path / 'image.binpb'}", "c.proto"]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *make_image], check=True)
        assert project.interop("build", *tree).out.splitlines()[0] == f"py: {how}"
        assert project.interop("build", *image).out.splitlines()[0] == "py: unchanged"


def test_a_project_that_moved_is_built_anew(tmp_path: Path) -> None:
    """
    What was built holds absolute paths: a folder that was renamed, or restored elsewhere, does not use it.
    """
    before = Project(tmp_path / "before")
    assert before.interop("build").out.splitlines()[0] == "py: built"
    after = Project(before.folder.rename(tmp_path / "after"))
    assert after.interop("build").out.splitlines()[0] == "py: built"
    assert after.interop("run", "-k", "SayHello/one").status == 0


def test_a_build_that_fails(project: Project, unbuildable: Path) -> None:
    """
    Exit status 3, with the build's last words; the others are built.
    """
    ended = project.interop("build", "--implementation", unbuildable)
    assert ended.status == 3
    assert "main.c:7: no such function" in ended.err and "Traceback" not in ended.err
    assert ended.out.startswith("py: ")


def test_a_missing_toolchain(project: Project, without_toolchain: Path) -> None:
    """
    Exit status 2, with what is missing and what to do.
    """
    ended = project.interop("build", "--implementation", without_toolchain, "cobol")
    assert (ended.status, ended.err.splitlines()[-1]) == (2, "cobol: Cobol 2023 is missing: set COBOL=/path/to/cobol")


def test_an_answer_that_is_none(project: Project, buildable: MakeImplementation) -> None:
    """
    A build whose answer is not as the guide says is told so.
    """
    ended = project.interop("build", "--implementation", buildable("odd", 'answer = {"driver": ["./driver"]}'), "odd")
    assert ended.status == 3
    assert "odd: the build's answer is not as docs/manifest.md says" in ended.err


class TestDoctor:
    """`interop doctor` looks at every implementation's toolchain, and builds nothing."""

    def test_nothing_is_missing(self, project: Project) -> None:
        """
        Each tool has a line: state, name, version, place.
        """
        ended = project.interop("doctor")
        assert (ended.status, ended.out.splitlines()[-1]) == (0, "nothing is missing")
        assert any(line.startswith("  ok       grpcio ") for line in ended.out.splitlines())

    def test_something_is_missing(self, project: Project, buildable: MakeImplementation) -> None:
        """
        What is missing stands with its remedy, and the exit status says so.
        """
        tool = {"name": "cobol", "version": "", "where": "", "ok": False, "remedy": "set COBOL=/path/to/cobol"}
        ended = project.interop("doctor", "--implementation", buildable("cobol", f'answer = {{"tools": [{tool}]}}'))
        assert ended.status == 3
        assert ended.out.splitlines()[-2:] == ["  missing  cobol: set COBOL=/path/to/cobol", "1 missing or broken"]

    def test_what_the_first_build_makes_is_not_missing(self, project: Project, buildable: MakeImplementation) -> None:
        """
        So a step of CI may ask before anything is built.
        """
        tool = {"name": "cobol", "version": "", "where": "", "ok": True, "remedy": "the first build installs it"}
        ended = project.interop("doctor", "--implementation", buildable("cobol", f'answer = {{"tools": [{tool}]}}'))
        assert (ended.status, ended.out.splitlines()[-2:]) == (
            0,
            ["  later    cobol: the first build installs it", "nothing is missing"],
        )

    def test_an_environment_that_no_build_has_made_yet(self, tmp_path: Path) -> None:
        """
        Of `py` with requirements of its own; nothing is installed to find out.
        """
        project = Project(tmp_path)
        project.write("old.txt", "grpcio==1.66.2\n")
        project.write(
            "interop.toml", 'implementations = ["old"]\n[[implementation]]\nname = "old"\nfrom = "py"\nsettings.requirements = "old.txt"\n'
        )
        ended = project.interop("doctor")
        assert (ended.status, ended.out.splitlines()[-1]) == (0, "nothing is missing")
        [line] = [line for line in ended.out.splitlines() if line.startswith("  later ")]
        assert "old.txt" in line and line.endswith(": the first build makes it")
        assert not list(tmp_path.glob(".interop/cache/py/environment-*/"))

    def test_git_and_buf_have_a_line(self, project: Project) -> None:
        """
        Both are asked about earlier versions of protos; without git the rest works.
        """
        lines = project.interop("doctor").out.splitlines()
        assert any(line.startswith("  ok       buf-bin ") for line in lines)
        assert any(line.startswith("  ok       git ") for line in lines)
        ended = project.interop("doctor", env={"PATH": str(Path(sys.executable).parent)})
        assert any(line.startswith("  without  git: ") for line in ended.out.splitlines())
        assert ended.status == 0, ended.out

    def test_a_doctor_that_fails(self, project: Project, unbuildable: Path) -> None:
        """
        A build command that cannot even say what is there is named as broken.
        """
        ended = project.interop("doctor", "--implementation", unbuildable)
        assert ended.status == 3
        assert "  broken   broken: the build command exited with status 1" in ended.out

    def test_nothing_to_look_for(self, project: Project, reference: MakeImplementation) -> None:
        """
        An implementation that needs no build needs no tools.
        """
        assert "nothing to look for" in project.interop("doctor", "--implementation", reference("plain")).out
