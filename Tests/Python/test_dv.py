"""The Python module with the real program, in a repository that the Swift tests made: see PythonTests.swift.

    v1.0    data/numbers.csv "n\\n1\\n2\\n", data/deep/one.txt, all tracked as data; params.yaml with lr: 0.1
    disk    data/numbers.csv "n\\n3\\n", added; params.yaml with lr: 0.2
"""

import os
import subprocess
import sys
import tempfile
import unittest

import dv


class Reading(unittest.TestCase):
    def test_versions(self) -> None:
        self.assertEqual(dv.read("data/numbers.csv"), "n\n3\n")
        with dv.open("data/numbers.csv", rev="v1.0") as file:
            self.assertEqual(list(file), ["n\n", "1\n", "2\n"])
        self.assertEqual(dv.read("data/numbers.csv", "rb", rev="v1.0"), b"n\n1\n2\n")
        with dv.open("data/numbers.csv", "rb", rev="v1.0", seekable=True) as file:
            file.seek(2)
            self.assertEqual(file.read(), b"1\n2\n")

    def test_what_is_not_on_disk_is_read_by_its_pointer(self) -> None:
        os.rename("data/numbers.csv", "moved")
        try:
            self.assertEqual(dv.read("data/numbers.csv"), "n\n3\n")
        finally:
            os.rename("moved", "data/numbers.csv")

    def test_other_repositories(self) -> None:
        for repo in (os.getcwd(), "file://" + os.getcwd()):
            with self.subTest(repo):
                self.assertEqual(dv.read("data/numbers.csv", rev="v1.0", repo=repo), "n\n1\n2\n")
        self.assertEqual(dv.params(rev="v1.0", repo="file://" + os.getcwd()), {"lr": 0.1})

    def test_paths(self) -> None:
        self.assertEqual(dv.path("data"), os.path.abspath("data"))
        copy = dv.path("data", rev="v1.0")
        self.assertEqual(sorted(os.listdir(copy)), ["deep", "numbers.csv"])
        self.assertEqual(dv.path("data", rev="v1.0"), copy)
        with open(dv.path("data/deep/one.txt", rev="v1.0")) as file:
            self.assertEqual(file.read(), "one\n")

    def test_errors_say_what_is_wrong(self) -> None:
        with self.assertRaisesRegex(dv.NotFound, "no-such"):
            dv.open("no-such.csv", rev="v1.0")
        with self.assertRaises(FileNotFoundError):
            dv.path("data/no-such", rev="v1.0")
        with self.assertRaises(dv.DvError):
            dv.read("data/numbers.csv", rev="no-such-revision")
        with self.assertRaises(ValueError):
            dv.open("data/numbers.csv", "w")

    def test_a_stream_may_be_left_early(self) -> None:
        file = dv.open("data/numbers.csv", "rb", rev="v1.0")
        file.read(1)
        file.close()
        with self.assertRaises(ValueError):
            file.read()

    def test_params(self) -> None:
        self.assertEqual(dv.params(), {"lr": 0.2})
        self.assertEqual(dv.params("params.yaml", rev="v1.0"), {"lr": 0.1})


class Logging(unittest.TestCase):
    def test_outside_of_a_run_nothing_is_logged(self) -> None:
        dv.log_metric("loss", 1.0)

    def test_a_run_has_what_its_command_logs(self) -> None:
        code = "import dv\nfor i in range(3): dv.log_metric('loss', 1 / (i + 1), i)\ndv.log_metric('bad', float('nan'))\n"
        code += "dv.log_param('optimizer', {'name': 'adam', 'betas': (0.9, 0.99)})\n"
        with open("train.py", "w") as file:
            file.write(code)
        done = subprocess.run(
            ["dv", "run", "--json", "-o", "made", "--", "python3 train.py && touch made"], capture_output=True, check=True)
        import json

        record = json.loads(done.stdout)["record"]
        self.assertEqual(record["logged"]["metrics"], {"bad": "NaN", "loss": 1 / 3})
        self.assertEqual(record["logged"]["params"], {"optimizer": {"betas": [0.9, 0.99], "name": "adam"}})
        self.assertGreater(record["series"][1], 100)

    def test_blocks(self) -> None:
        with dv.run("clean", deps=["params.yaml"], outs=["clean.txt"]) as run:
            self.assertFalse(os.path.exists("clean.txt"))
            with open("clean.txt", "w") as file:
                file.write("clean\n")
            dv.log_metric("rows", 1)
        assert run.id is not None
        shown = subprocess.run(["dv", "runs", "show", run.id], capture_output=True, check=True, text=True).stdout
        self.assertIn("complete", shown)
        self.assertIn("rows = 1", shown)
        self.assertTrue(os.path.exists("clean.txt.dv"))
        with self.assertRaises(ZeroDivisionError):
            with dv.run("clean", outs=["other.txt"]) as run:
                1 / 0
        shown = subprocess.run(["dv", "runs", "show", str(run.id)], capture_output=True, check=True, text=True).stdout
        self.assertIn("failed", shown)
        with self.assertRaises(dv.DvError):
            with dv.run("clean", deps=["no-such-input"]):
                self.fail("the block must not run")

    def test_blocks_away_from_home(self) -> None:
        home = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            bundle = os.path.join(folder, "run.dvb")
            node = os.path.join(folder, "node")
            os.mkdir(node)
            try:
                os.chdir(node)
                with dv.run("away", outs=["away.txt"], bundle=bundle) as run:
                    with open("away.txt", "w") as file:
                        file.write("from afar\n")
                    dv.log_metric("rows", 2)
                self.assertEqual(os.listdir("."), ["away.txt"])
            finally:
                os.chdir(home)
            assert run.id is not None
            subprocess.run(["dv", "runs", "adopt", bundle], check=True, capture_output=True)
        shown = subprocess.run(["dv", "runs", "show", run.id], capture_output=True, check=True, text=True).stdout
        self.assertIn("rows = 2", shown)
        with open("away.txt") as file:
            self.assertEqual(file.read(), "from afar\n")


try:
    import fsspec
except ImportError:
    fsspec = None


@unittest.skipUnless(fsspec, "fsspec is not installed")
class FileSystem(unittest.TestCase):
    def test_fsspec(self) -> None:
        files = fsspec.filesystem("dv", rev="v1.0")
        self.assertEqual(files.ls("", detail=False), ["data"])
        self.assertEqual(sorted(files.find("")), ["data/deep/one.txt", "data/numbers.csv"])
        self.assertTrue(files.isdir("data/deep"))
        self.assertFalse(files.exists("data/no-such"))
        self.assertEqual(files.info("data/numbers.csv")["size"], 6)
        self.assertEqual(files.ls("data/numbers.csv", detail=False), ["data/numbers.csv"])
        self.assertEqual(files.glob("data/*.csv"), ["data/numbers.csv"])
        with fsspec.open("dv://data/numbers.csv?rev=v1.0", "rt") as file:
            self.assertEqual(file.read(), "n\n1\n2\n")
        with fsspec.open(dv.get_url("data/numbers.csv", rev="v1.0")) as file:
            self.assertEqual(file.read(), b"n\n1\n2\n")


if __name__ == "__main__":
    sys.exit(unittest.main())
