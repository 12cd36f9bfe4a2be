"""by_parallel.py PROGRAM: examples/cluster/parallel with a study whose parts only take time, and with a small study."""

import shutil
import unittest

from one_study import CLUSTER, EngineCases, RealStudy, StudyCase, real_program, skip_all

# In the place of ssh: HOST COMMAND... runs the command on this machine.
SHELL_OF_A_HOST = """#!/bin/bash
while [[ $1 == -* ]]; do shift; done
echo "$1" >>"$(dirname "$0")/hosts"
shift
[ "$1" != -- ] || shift
exec env -i SHELL=/bin/bash PATH="$PATH" HOME="$HOME" USER="${USER:-root}" bash -c "$*"
"""


class ParallelCase(StudyCase):
    def command(self, *options, ours=("--jobs", 2)):
        return [CLUSTER / "parallel", *ours, "--", *self.study(*options)]


class Parallel(EngineCases, ParallelCase):
    def setUp(self):
        super().setUp()
        self.run = self.folder / "run of one {study}"  # every word must arrive as it is

    def test_a_study_as_by_one_process(self):
        options = ("--trainings", 3)
        self.call(*self.command(*options))
        self.assertEqual({line[-1] for line in self.events("done")}, {"1"}, "threads of a part")
        self.assert_as_by_one_process(*options)
        self.assertEqual(self.call(*self.command(*options)), "")

    def test_on_several_machines(self):
        ssh = self.folder / "ssh"
        ssh.write_text(SHELL_OF_A_HOST)
        ssh.chmod(0o755)
        options = ("--trainings", 3)
        self.environment["SKEWGRAD_THREADS"] = "2"
        self.call(*self.command(*options, ours=["--jobs", 2, "--sshlogin", f"{ssh} one,{ssh} two"]))
        self.assertEqual(set((self.folder / "hosts").read_text().split()), {"one", "two"})
        self.assertEqual({line[-1] for line in self.events("done")}, {"2"}, "threads of a part")
        self.assert_as_by_one_process(*options)

    def test_an_error_ends_it_after_its_stage(self):
        options = ("--trainings", 3)
        self.environment["FAKE_STUDY_FAIL"] = "train/network-1-1a2b0001"
        self.assertIn("no space left", self.call(*self.command(*options), status=1))
        self.assertEqual(len(self.events("done")), 2)
        del self.environment["FAKE_STUDY_FAIL"]
        self.call(*self.command(*options))
        self.assert_as_by_one_process(*options)


class ParallelStudy(RealStudy, ParallelCase):
    program = [real_program()]

    def test_a_study_as_by_one_process(self):
        self.call(*self.command(*self.options))
        self.assert_as_by_one_process(*self.options)


if __name__ == "__main__":
    if not shutil.which("parallel"):
        skip_all("no GNU parallel on this machine (Debian: parallel)")
    unittest.main(verbosity=2)
