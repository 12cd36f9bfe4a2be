"""examples/cluster/slurm on a real Slurm of one node: studies whose parts only take time, and what seldom happens."""

from one_study import CLUSTER
from slurm_case import SlurmCase, run_tests


class Slurm(SlurmCase):
    def test_a_study_as_by_one_process(self):
        options = ("--trainings", 7, "--seconds", 0.5)
        said = self.submit(*options, ours=("--account=some", "--on-node", "--cpus", 2, "--chunk=2"))
        # Seven trainings and 14 pairs of attacks are more tasks than an array has here.
        self.assertIn("train, 6 tasks", said)
        self.assertIn("train, 1 tasks", said)
        self.assertIn("attack, 3 tasks", said)
        self.wait_for_jobs()
        self.assert_as_by_one_process(*options)
        self.assertEqual(len(self.events("begin")), len(self.events("done")))
        self.assertEqual({line[-1] for line in self.events("done")}, {"2"}, "threads: cores of a task")
        self.assertIn("nothing is missing", self.submit(*options))

    def test_requeued_in_the_middle(self):
        options = ("--trainings", 3, "--seconds", 3)
        self.submit(*options)
        self.wait_until("a task runs", lambda: self.task_of(1) and self.events("begin", "network-1"))
        self.assertIn("submitted already", self.submit(*options, status=1))
        self.call("scontrol", "requeue", self.task_of(1))
        self.wait_for_jobs()
        self.assert_stopped_once_and_resumed("network-1")
        self.assert_as_by_one_process(*options)

    def test_before_the_time_limit(self):
        options = ("--trainings", 2, "--seconds", 3)
        self.submit(*options)
        self.wait_until("a task runs", lambda: self.task_of(0) and self.events("begin", "network-0"))
        self.call("scancel", "--batch", "--signal=USR1", self.task_of(0))  # as --signal=B:USR1@120
        self.wait_for_jobs()
        self.assert_stopped_once_and_resumed("network-0")
        self.assert_as_by_one_process(*options)

    def assert_stopped_once_and_resumed(self, training):
        stops = [line[2] for line in self.events("stop", training)]
        begins = [line[2] for line in self.events("begin", f"train/{training}")]
        self.assertEqual(len(stops), 1)
        self.assertGreater(int(stops[0]), 0)
        self.assertEqual(begins, ["0", stops[0]])

    def test_exit_status_75_is_queued_again_alone(self):
        options = ("--trainings", 3, "--seconds", 0.2)
        # The last task has the number of the whole array.
        self.environment["FAKE_STUDY_STOP"] = "train/network-2-1a2b0002"
        self.submit(*options)
        self.wait_for_jobs()
        self.assertEqual(len(self.events("begin", "train/network-2")), 2)
        self.assertEqual(len(self.events("begin", "train/network-0")) + len(self.events("there", "train/network-0")), 1)
        self.assertIn("start 2: train:2-2", next((self.run / "log/slurm").glob("train-*_2.txt")).read_text())
        self.assert_as_by_one_process(*options)

    def test_cancelled_is_not_queued_again(self):
        options = ("--trainings", 2, "--seconds", 3)
        self.submit(*options)
        self.wait_until("a task runs", lambda: self.task_of(0) and self.events("begin", "network-0"))
        self.call("scancel", *(self.run / "log/slurm/jobs").read_text().split())
        self.wait_for_jobs(20)
        self.assertEqual(self.events("done"), [])
        self.assertEqual(len(self.events("stop", "network-0")), 1)
        self.submit(*options)
        self.wait_for_jobs()
        self.assert_stopped_once_and_resumed("network-0")
        self.assert_as_by_one_process(*options)

    def test_an_error_cancels_what_follows_and_the_rest_is_submitted_again(self):
        options = ("--trainings", 3, "--seconds", 0.2)
        self.environment["FAKE_STUDY_FAIL"] = "train/network-1-1a2b0001"
        self.submit(*options)
        self.wait_for_jobs()
        self.assertEqual(len(self.events("fail")), 1)
        self.assertEqual(len(self.events("done", "train/")), 2)
        self.assertEqual(len(self.events("done")), 2)
        del self.environment["FAKE_STUDY_FAIL"]
        self.assertIn("train, 1 tasks", self.submit(*options))
        self.wait_for_jobs()
        self.assertEqual(len(self.events("begin", "train/")), 4)
        self.assert_as_by_one_process(*options)

    def test_a_training_that_fails_for_a_reason_of_its_own(self):
        options = ("--trainings", 2, "--seconds", 0.2)
        self.environment["FAKE_STUDY_DIVERGE"] = "train/network-1-1a2b0001"
        self.submit(*options)
        self.wait_for_jobs()
        self.assertEqual(len(self.events("done", "report/")), 1)
        self.assert_as_by_one_process(*options)

    def test_a_part_whose_needs_are_not_there(self):
        self.assertIn("needs train/", self.call(*self.study(), "--part", "adjust", status=1))

    def test_what_is_refused(self):
        for ours, words in [
            (("--array=1", "--"), "--array"),
            (("--cpus", "0", "--"), "from 1"),
            (("--cpus",), "no `--`"),
            (("--", self.program[0], "--quick"), "--run"),
            (("--", "/no/such/program", "--run", "x"), "No such file"),
            (("--partition=none", "--", *self.study()), "failed with status"),
        ]:
            self.assertIn(words, self.call(CLUSTER / "slurm", *ours, status=1))
        self.assertEqual(self.jobs("%i"), [])


if __name__ == "__main__":
    run_tests()
