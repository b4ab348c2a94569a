"""What a manifest says, and what is said of a wrong one."""

import pytest

from grpc_interop.drivers.manifest import Manifest, read_manifest
from grpc_interop.errors import UsageError


@pytest.fixture
def read(tmp_path):
    """Reads a manifest with this text."""

    def run(text: str) -> Manifest:
        (tmp_path / "interop.toml").write_text(text)
        return read_manifest(tmp_path)

    return run


def test_everything_is_read(read, tmp_path):
    manifest = read("""
        name = "mine"
        description = "in a language of its own"
        [build]
        command = ["python3", "build.py"]
        sources = ["src/*"]
        tools = ["mylang"]
        env = ["MYLANG_HOME"]
        [run]
        driver = ["./driver", "--quiet"]
        env = {B = "2", A = "1"}
        stack_dump_signal = "SIGQUIT"
        [programs]
        greeter-server = ["./server"]
    """)
    assert (manifest.name, manifest.folder, manifest.description) == ("mine", tmp_path, "in a language of its own")
    assert (manifest.build_command, manifest.sources) == (("python3", "build.py"), ("src/*",))
    assert (manifest.tools, manifest.build_env) == (("mylang",), ("MYLANG_HOME",))
    assert (manifest.driver, manifest.run_env) == (("./driver", "--quiet"), (("A", "1"), ("B", "2")))
    assert (manifest.stack_dump_signal, manifest.programs) == ("SIGQUIT", (("greeter-server", ("./server",)),))


RUN = '[run]\ndriver = ["./driver"]\n'

WRONG = {
    "a misspelt key": ('nam = "mine"', "unknown key `nam`\n  did you mean `name`?"),
    "a misspelt key in a table": ('name = "mine"\n[build]\ncomand = ["x"]', "unknown key `build.comand`\n  did you mean `command`?"),
    "a key like no other": ('name = "mine"\nxyzzy = 1', "unknown key `xyzzy`\n  known keys: name, description, build"),
    "no name": (RUN, "the key `name` is missing"),
    "a name nobody can type": (f'name = "my driver"\n{RUN}', "name = 'my driver' has other characters than letters, digits and dashes"),
    "a name that is no text": (f"name = 7\n{RUN}", "`name` must be a text, not 7"),
    "a build without command": ('name = "mine"\n[build]\nsources = ["*"]', "the key `build.command` is missing"),
    "nothing to run": ('name = "mine"', "neither `build.command` nor `run.driver` nor `programs` is given"),
    "a command that is a text": ('name = "mine"\n[run]\ndriver = "./driver"', "`run.driver` must be a list, not './driver'"),
    "a command of numbers": ('name = "mine"\n[run]\ndriver = [1]', "`run.driver` must be a list of texts, not [1]"),
    "a variable that is no text": ('name = "mine"\n[run]\ndriver = ["x"]\nenv = {A = 1}', "`run.env.A` must be a text, not 1"),
    "not TOML": ('name = "mine', "not TOML: "),
}


@pytest.mark.parametrize("what", WRONG)
def test_error_names_file_and_key_and_what_to_do(read, tmp_path, what):
    text, words = WRONG[what]
    with pytest.raises(UsageError) as error:
        read(text)
    assert str(error.value).startswith(f"{tmp_path / 'interop.toml'}: ")
    assert words in str(error.value)


def test_no_manifest_is_said_so(tmp_path):
    with pytest.raises(UsageError, match=r"no interop\.toml there"):
        read_manifest(tmp_path)
