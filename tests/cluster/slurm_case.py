"""What the tests on a real Slurm of one node share."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from one_study import CLUSTER, TOP, StudyCase, skip_all

ONE_NODE = TOP / "scripts/slurm-one-node"


def start_slurm():
    """Starts a Slurm for all tests of this process; returns what ends it."""
    check = subprocess.run([ONE_NODE, "check"], stdout=subprocess.PIPE, text=True, check=False)
    if check.returncode != 0:
        skip_all(check.stdout.strip())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="skewgrad-slurm-"))
    # Arrays of six tasks are enough to be too small.
    subprocess.run([ONE_NODE, "start", folder, "MaxArraySize=6"], check=True, stdout=subprocess.DEVNULL)
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    return lambda: subprocess.run([ONE_NODE, "stop", folder], check=True)


class SlurmCase(StudyCase):
    def submit(self, *options, ours=(), status=0):
        return self.call(CLUSTER / "slurm", *ours, "--", *self.study(*options), status=status)

    def jobs(self, form):
        """What squeue says of each task that has not ended."""
        return self.call("squeue", "--noheader", "--array", f"--format={form}").split()

    def wait_for_jobs(self, seconds=120):
        self.wait_until("all jobs have ended", lambda: not self.jobs("%i"), seconds)

    def task_of(self, index):
        """The running task of a training by its index: 12_3."""
        running = [line for line in self.jobs("%i:%t:%j") if line.endswith(f"_{index}:R:run.train")]
        return running[0].partition(":")[0] if running else ""


def run_tests():
    """Runs the tests of the calling program while a Slurm runs."""
    stop_slurm = start_slurm()
    try:
        done = unittest.main(exit=False, verbosity=2)
    finally:
        stop_slurm()
    sys.exit(not done.result.wasSuccessful())
