"""by_snakemake.py PROGRAM: examples/cluster/Snakefile with a study whose parts only take time, and with a small study."""

import shlex
import shutil
import unittest

from one_study import CLUSTER, EngineCases, RealStudy, StudyCase, real_program, skip_all


class SnakemakeCase(StudyCase):
    def command(self, *options):
        program = shlex.join(str(word) for word in (*self.program, *options))
        return ["snakemake", "--snakefile", str(CLUSTER / "Snakefile"), "--cores", "2", "--nocolor",
                "--config", f"run={self.run}", "cores=1", f"program={program}"]  # fmt: skip


class Snakemake(EngineCases, SnakemakeCase):
    def setUp(self):
        super().setUp()
        self.run = self.folder / "run of one"

    def test_a_study_as_by_one_process_and_more_of_it(self):
        options = ("--trainings", 3)
        self.call(*self.study(*options), "--part", "train:1")  # done by something else
        self.call(*self.command(*options))
        self.assertEqual(len(self.events("begin", "train/network-1")), 1)
        self.assertEqual(self.events("there"), [])
        self.assertEqual({line[-1] for line in self.events("done")}, {"?", "1"}, "threads of a part")
        self.assert_as_by_one_process(*options)
        self.assertIn("Nothing to be done", self.call(*self.command(*options)))
        # A larger study: what is new is done, and the report again.
        self.call(*self.command("--trainings", 4))
        self.assertEqual([line[1] for line in self.events("there")], ["report/page"])
        self.assertEqual(len(self.events("begin", "train/")), 4)

    def test_an_error(self):
        options = ("--trainings", 2)
        self.environment["FAKE_STUDY_FAIL"] = "train/network-1-1a2b0001"
        self.assertIn("no space left", self.call(*self.command(*options), status=1))
        self.assertEqual(self.events("done", "report/"), [])
        del self.environment["FAKE_STUDY_FAIL"]
        self.call(*self.command(*options))
        self.assert_as_by_one_process(*options)

    def test_what_is_missing_is_said(self):
        self.assertIn("what is missing: --config", self.call("snakemake", "--snakefile", CLUSTER / "Snakefile", "--cores", 1,
                                                             status=1))  # fmt: skip


class SnakemakeStudy(RealStudy, SnakemakeCase):
    program = [real_program()]

    def test_a_study_as_by_one_process(self):
        self.call(*self.command(*self.options))
        self.assert_as_by_one_process(*self.options)


if __name__ == "__main__":
    if not shutil.which("snakemake"):
        skip_all("no Snakemake on this machine (Debian: snakemake)")
    unittest.main(verbosity=2)
