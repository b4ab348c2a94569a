"""What the documents say is true: their commands are executed, their links lead somewhere, their options exist."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from grpc_interop import cli, config
from terminal import Terminal, commands, environment, fits

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BY_NAME = {"argvalues": DOCUMENTS, "ids": [str(path.relative_to(ROOT)) for path in DOCUMENTS]}

PART_OF_THE_MATRIX = """make interop ARGS="-k 'SayHello/one or zero_in_empty'\""""
"""What is typed for `make interop`: few cases, some of which are known to fail, make the same picture. All of them are
CI's own step."""


def blocks(path: Path) -> Iterator[tuple[str, str]]:
    """The fenced blocks of a document: what stands after the fence, and the content."""
    yield from re.findall(r"^```([^\n]*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


# -- what is shown -----------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of one's own to type in, set up; what builds keep for later ones is this one's."""
    for name in ("Makefile", "interop.toml", "pyproject.toml", "hatch_build.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for path in [*(ROOT / "proto").rglob("*.proto"), ROOT / "requirements" / "runtime.txt"]:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (ROOT / ".interop" / "cache").mkdir(parents=True, exist_ok=True)
    (tmp_path / ".interop").mkdir()
    (tmp_path / ".interop" / "cache").symlink_to(ROOT / ".interop" / "cache")
    (tmp_path / ".venv").mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (tmp_path / ".venv" / part).symlink_to(Path(sys.prefix) / part)
    (tmp_path / ".venv" / ".runtime").touch()
    return tmp_path


@pytest.fixture
def terminal(checkout: Path) -> Iterator[Terminal]:
    """Opened in the checkout."""
    terminal = Terminal(checkout, environment())
    yield terminal
    terminal.close()


@pytest.mark.parametrize("name", ["README.md", "docs/tutorial.md"])
def test_what_is_typed_shows_what_is_shown(terminal: Terminal, checkout: Path, name: str) -> None:
    """
    Every console block, typed in its order, has the output that the document shows.

    README.md shows the whole matrix, which grows with every suite: there any number stands for any.
    """
    for number, (info, content) in enumerate(blocks(ROOT / name)):
        if info == "pycon":
            session = checkout / f"session-{number}.txt"
            session.write_text(content, encoding="utf-8")
            assert terminal.type(f"{sys.executable} -m doctest {session}") == ""
        for command in commands(content) if info.startswith("console") else ():
            typed = command.typed.replace("make interop", PART_OF_THE_MATRIX)
            output = terminal.serve(typed) if info == "console server" else terminal.type(typed)
            assert fits(command.shown, output, any_number=name == "README.md"), f"{command.typed}\nshows\n{command.shown}\nbut is\n{output}"


def test_examples_of_your_own_tests(pytester: pytest.Pytester) -> None:
    """
    The tests that docs/your-own-tests.md shows pass, on a pair.
    """
    examples = [content for info, content in blocks(ROOT / "docs" / "your-own-tests.md") if info == "python"]
    pytester.makepyfile("\n".join(sorted(examples, key=lambda text: not text.startswith(("from", "import")))))
    pytester.makefile(".toml", interop=f'[protos]\nroots = ["{ROOT / "proto"}"]')
    one_pair = ["--interop-client", "py", "--interop-server", "py", "--interop-suite", "calls"]
    ended = pytester.runpytest_subprocess(*one_pair, "-k", "not test_interop or SayHello/one")
    ended.assert_outcomes(passed=sum(example.count("def test_") for example in examples))


@pytest.mark.parametrize(
    ("shown", "actual", "expected"),
    [
        ("a\n", "a\n", True),
        ("a\n", "b\n", False),
        ("a\n", "a\nb\n", False),
        ("a …\n", "a b c\n", True),
        ("…\nb\n", "x\ny\nb\n", True),
        ("…\n", "", True),
        ("a  b\n", "a    b\n", True),
        ("a.\n", "ab\n", False),
        ("2/3\n", "20/31\n", False),
    ],
)
def test_placeholders(shown: str, actual: str, expected: bool) -> None:
    """
    `…` stands for what varies, and nothing else does.
    """
    assert fits(shown, actual) is expected
    assert fits("1,234 of 5\n", "77 of 1,000\n", any_number=True)


# -- what is named -----------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """What a heading can be linked to by, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", **BY_NAME)
def test_links_lead_somewhere(document: Path) -> None:
    """
    Every relative link names a file or folder, and a heading in it if it names one.
    """
    dead = []
    for target, anchor in re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text(encoding="utf-8")):
        path = (document.parent / target) if target else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            dead.append(f"{target}#{anchor}")
    assert dead == []


@pytest.mark.parametrize("document", **BY_NAME)
def test_source_files_exist(document: Path) -> None:
    """
    Every source file that is named with its folder, such as `core/model.py`, exists below the root, the harness or the tests.
    """
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|go))`", document.read_text(encoding="utf-8")))
    folders = [ROOT, ROOT / "harness/grpc_interop", ROOT / "tests"]
    example = "mylang_impl/"
    assert [name for name in named if not name.startswith(example) and not any((folder / name).exists() for folder in folders)] == []


def code(document: Path) -> str:
    """What is set as code, a piece a line: blocks, indented or fenced, and spans."""
    text = document.read_text(encoding="utf-8")
    fenced = re.findall(r"^```[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^ {4}(.*)$", rest, re.MULTILINE)
    return "\n".join([*fenced, *indented, *(" ".join(span.split()) for span in re.findall(r"`([^`]+)`", rest))])


def options(command: str) -> set[str]:
    """Of `interop COMMAND`, those of its own commands included."""
    found = cli.interop.get_command(click.Context(cli.interop), command)
    assert found is not None
    parts = [found, *(found.commands.values() if isinstance(found, click.Group) else ())]
    names = {name for part in parts for parameter in part.params for name in parameter.opts}
    return {"--help", *(name for name in names if name.startswith("-"))}


@pytest.mark.parametrize("document", **BY_NAME)
def test_commands_and_options_exist(document: Path, request: pytest.FixtureRequest) -> None:
    """
    Every `interop` command, its options, every option of the pytest plugin and every make target that is named exists.
    """
    text = code(document)
    unknown = []
    for command, rest in re.findall(r"(?:^|[\s/(`])interop ([a-z][a-z-]+)\b([^\n|#;]*)", text):
        known = options(command) if command in cli.COMMANDS else None
        given = re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", rest)
        unknown += [f"interop {command}"] if known is None else [f"interop {command} {name}" for name in given if name not in known]
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    unknown += [f"make {target}" for target in re.findall(r"(?:^|\$ )make ([a-z]+)", text, re.MULTILINE) if target not in targets]
    for name in re.findall(r"--interop-([a-z-]+)", text):
        if request.config.getoption(f"interop_{name.replace('-', '_')}", "no such option") == "no such option":
            unknown.append(f"--interop-{name}")
    assert unknown == []


CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_every_key_is_described() -> None:
    """
    docs/configuration.md has a line for each key of interop.toml.
    """
    keys = [f"{table}.{key}" if table else key for table, known in config._KEYS.items() for key in known if key not in config._KEYS]
    assert [key for key in keys if f"| `{key}` |" not in CONFIGURATION] == []


def test_every_option_is_described() -> None:
    """
    docs/configuration.md has a line for each option of each command.
    """
    described = set(re.findall(r"(--?[a-z][a-z-]*)", "\n".join(re.findall(r"^\| `-.*", CONFIGURATION, re.MULTILINE))))
    known = {option for command in cli.COMMANDS for option in options(command)}
    assert known - described == {"--help"}
