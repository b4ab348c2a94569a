"""Which Go package each proto file goes to."""

from buildtool.packages import Package, assign, source_stems
from google.protobuf.descriptor_pb2 import FileDescriptorProto


def proto(name: str, go_package: str = "", package: str = "", imports: tuple[str, ...] = (), message: str = "") -> FileDescriptorProto:
    file = FileDescriptorProto(name=name, package=package, dependency=imports)
    if go_package:
        file.options.go_package = go_package
    if message:
        file.message_type.add(name=message)
    return file


def folders(*files: FileDescriptorProto) -> dict[str, str]:
    return {name: package.folder for name, package in assign(list(files)).items()}


class TestAssign:
    def test_follows_the_directory_whatever_the_go_package_says(self) -> None:
        """
        The quick-start service lies where the hand-written programs import it from.
        """
        assert assign([proto("greeter/v1/greeter.proto", "example.com/anything;else")]) == {
            "greeter/v1/greeter.proto": Package("gen/greeter/v1", "greeterv1")
        }

    def test_gives_the_quick_start_service_its_place_before_others(self) -> None:
        """
        Another package in the same directory, first by name, does not take it.
        """
        assert folders(proto("greeter/v1/a.proto", "x"), proto("greeter/v1/greeter.proto", "y")) == {
            "greeter/v1/greeter.proto": "gen/greeter/v1",
            "greeter/v1/a.proto": "gen/greeter/v1_2",
        }

    def test_groups_by_go_package_across_directories(self) -> None:
        """
        Files with one go_package share a package, even in different directories.
        """
        assert folders(proto("a/x.proto", "one"), proto("b/y.proto", "one")) == {"a/x.proto": "gen/a", "b/y.proto": "gen/a"}

    def test_parts_a_directory_by_proto_package_where_no_go_package_is_given(self) -> None:
        """
        qdrant's root holds two proto packages with equal message names.
        """
        assert folders(proto("x.proto", package="a"), proto("y.proto", package="b"), proto("z.proto", package="a")) == {
            "x.proto": "gen/x_pb",
            "y.proto": "gen/y",
            "z.proto": "gen/x_pb",
        }

    def test_parts_a_go_package_in_which_names_clash(self) -> None:
        """
        Two proto packages with one go_package and the same message name cannot share a Go package.
        """
        files = proto("a/x.proto", "one", "a", message="Same"), proto("b/y.proto", "one", "b", message="Same")
        assert folders(*files) == {"a/x.proto": "gen/a", "b/y.proto": "gen/b"}

    def test_parts_packages_that_import_each_other(self) -> None:
        """
        Go has no import cycles; proto files have none, so a package for each file always works.
        """
        z = proto("a/z.proto", "a")
        y = proto("b/y.proto", "b", imports=("a/z.proto",))
        x = proto("a/x.proto", "a", imports=("b/y.proto",))
        other = proto("c/o.proto", "c", imports=("a/x.proto",)), proto("c/p.proto", "c")
        assert folders(z, y, x, *other) == {
            "a/z.proto": "gen/a_2",
            "b/y.proto": "gen/b",
            "a/x.proto": "gen/a",
            "c/o.proto": "gen/c_pb",
            "c/p.proto": "gen/c_pb",
        }

    def test_avoids_what_go_treats_specially(self) -> None:
        """
        No element is `internal`, a keyword, hidden, or ends like a test; none differs from another only by case.
        """
        names = [
            "internal/a.proto",
            "x/vendor/a.proto",
            "_y/a.proto",
            "go/a.proto",
            "z_test/a.proto",
            "Up/a.proto",
            "up/a.proto",
            "1/é.proto",
        ]
        assert folders(*map(proto, names)) == {
            "internal/a.proto": "gen/internal_pb",
            "x/vendor/a.proto": "gen/x_pb/vendor_pb",
            "_y/a.proto": "gen/y",
            "go/a.proto": "gen/go_pb",
            "z_test/a.proto": "gen/z_test_pb",
            "Up/a.proto": "gen/up",
            "up/a.proto": "gen/up_2",
            "1/é.proto": "gen/p1",
        }


class TestSourceStems:
    def stems(self, *names: str) -> list[str]:
        packages = dict.fromkeys(names, Package("gen/p", "p"))
        stems = source_stems(packages)
        return [stems[name].removeprefix("gen/p/") for name in names]

    def test_keeps_plain_names(self) -> None:
        """
        Where the go command reads nothing into a name, it stays.
        """
        assert self.stems("a/greeter.proto") == ["greeter"]

    def test_hides_suffixes_that_the_go_command_reads(self) -> None:
        """
        foo_windows.pb.go would be compiled on Windows only, _foo.pb.go nowhere.
        """
        assert self.stems("foo_windows.proto", "_foo.proto", ".bar.proto") == ["foo_windows_p", "foo", "bar"]

    def test_parts_files_of_one_name(self) -> None:
        """
        Two directories that share a package may both have a same.proto.
        """
        assert self.stems("a/same.proto", "b/same.proto", "a-b.proto", "a.b.proto") == ["same", "same2", "a_b_p", "a_b_p2"]
