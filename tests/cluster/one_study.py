"""What the tests of this folder share: a study in a temporary folder, compared with the same study by one process."""

import filecmp
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
CLUSTER = TOP / "examples/cluster"
FAKE = pathlib.Path(__file__).resolve().parent / "fake_study"
sys.dont_write_bytecode = True


def skip_all(reason):
    """Ends a test that cannot run here; ctest reports it as skipped."""
    print(f"skewgrad test: all cases were skipped: {reason}")
    sys.exit(77)


def real_program():
    """The study program, this test's argument; none where the examples are not built."""
    return pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None


def files_of(folder):
    """All files but those of log/."""
    return {p.relative_to(folder) for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).parts[0] != "log"}


class StudyCase(unittest.TestCase):
    """A test in a folder of its own; `environment` goes to every command."""

    program = [FAKE]
    with_times = set()  # files that differ, since they have the seconds that were measured

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="skewgrad-cluster-", ignore_cleanup_errors=True)
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)
        self.run = self.folder / "run"
        self.environment = {k: v for k, v in os.environ.items() if k not in ("SKEWGRAD_CIFAR10", "SKEWGRAD_THREADS")}

    def study(self, *options, run=None):
        return [str(word) for word in (*self.program, *options, "--run", run or self.run)]

    def call(self, *command, status=0, **more):
        """What the command prints, both streams; its exit status must be `status`."""
        done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE, check=False,
                              stderr=subprocess.STDOUT, env=self.environment, cwd=self.folder, **more)  # fmt: skip
        self.assertEqual(done.returncode, status, f"{command}: {done.stdout}")
        return done.stdout

    def wait_until(self, what, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, f"{what}: not within {seconds} seconds")
            time.sleep(0.1)

    def journal(self, run=None):
        """The events of a fake study: [[event, part, ...]]."""
        file = (run or self.run) / "log/journal"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def events(self, event, part=""):
        return [line for line in self.journal() if line[0] == event and part in line[1]]

    def assert_as_by_one_process(self, *options):
        """Every file is what one process, which nothing stops, writes into another folder."""
        alone = self.folder / "alone"
        self.environment.pop("FAKE_STUDY_STOP", None)
        self.call(*self.study(*options, run=alone))
        self.assertEqual(files_of(self.run), files_of(alone))
        self.assertGreater(len(files_of(alone)), 5)
        for file in sorted(files_of(alone) - self.with_times):
            self.assertTrue(filecmp.cmp(self.run / file, alone / file, shallow=False), f"{file} differs")


class EngineCases:
    """What holds under every engine that stays while the study runs. Mixed in before a StudyCase that has `command`."""

    def test_stopped_and_continued(self):
        options = ("--trainings", 3, "--seconds", 3)
        command = [str(word) for word in self.command(*options)]
        process = subprocess.Popen(command, start_new_session=True, env=self.environment, cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        self.wait_until("two trainings began", lambda: len(self.events("begin")) == 2)
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        self.assertNotEqual(process.wait(timeout=60), 0)
        self.wait_until("both have stopped", lambda: len(self.events("stop")) == 2)
        self.call(*command)
        begins = sorted(line[2] for line in self.events("begin", "train/"))
        self.assertEqual(begins, sorted(["0", "0", "0", *(line[2] for line in self.events("stop"))]))
        self.assert_as_by_one_process(*options)

    def test_exit_status_75_is_tried_again(self):
        options = ("--trainings", 2)
        self.environment["FAKE_STUDY_STOP"] = "train/network-1-1a2b0001"
        self.call(*self.command(*options))
        self.assertEqual(len(self.events("begin", "train/network-1")), 2)
        self.assert_as_by_one_process(*options)


class RealStudy:
    """A study of 18 parts: the embedded images, one class, one round. Mixed in before a StudyCase."""

    options = ("--quick", "--classes", 3, "--rounds", 1, "--threads", 1)
    with_times = {pathlib.Path("report") / name for name in ("times.json", "report.html", "tables/trainings.csv")}

    def setUp(self):
        if not self.program[0]:
            self.skipTest("no study program was built")
        super().setUp()
        # Threads that spin while they wait for each other are slow where cores are shared.
        self.environment.update({"OMP_WAIT_POLICY": "passive"})
