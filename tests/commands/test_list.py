"""`interop list`: one case a line for programs, and a word about the suites for people."""

from grpc_interop.suites import SUITES
from project import Project


def test_suites_are_explained_beside_the_lines_that_programs_read(project: Project) -> None:
    """
    Only suites of which a case is listed, and not among the cases.
    """
    listed = project.interop("list", "--client", "py", "--server", "py", "-k", "SayHello/one or HelloRequest/values")
    assert listed.out.splitlines() == [
        "calls/greeter.v1.Greeter/SayHello/one[py:py]",
        "messages/greeter.v1.HelloRequest/values[py:py]",
    ]
    assert listed.err.splitlines() == [f"calls: {SUITES['calls'].about}", f"messages: {SUITES['messages'].about}", "2 cases"]
