"""slurm_study.py PROGRAM: a small study by examples/cluster/slurm on a real Slurm of one node, a training of it requeued."""


import json

from one_study import RealStudy, real_program, skip_all
from slurm_case import SlurmCase, run_tests


class SlurmStudy(RealStudy, SlurmCase):
    program = [real_program()]
    # The checkpoint of the first round shows that a training is in the middle.
    options = ("--quick", "--classes", 3, "--rounds", 3, "--threads", 1)

    def test_a_study_with_a_requeue_as_by_one_process(self):
        said = self.submit(*self.options, ours=["--cpus=1", "--chunk=3"])
        self.assertIn("train: 6 parts, 0 done", said)
        self.assertIn("attack, 3 tasks", said)

        lines = self.call(*self.study(*self.options), "--parts").splitlines()
        index = {part["name"]: part["index"] for part in map(json.loads, lines)}
        task = ""

        def in_the_middle():
            nonlocal task
            found = [self.task_of(index[f"train/{file.parent.name}"])
                     for file in self.run.glob("trainings/*/checkpoint.safetensors")]  # fmt: skip
            task = next(filter(None, found), "")
            return task

        self.wait_until("a training is in the middle", in_the_middle)
        self.call("scontrol", "requeue", task)
        self.wait_for_jobs(300)
        output = (self.run / f"log/slurm/train-{task}.txt").read_text()
        self.assertIn("exit status 75", output)
        self.assertIn("start 2", output)
        self.assertTrue(output.rstrip().endswith("exit status 0"), output)
        self.assert_as_by_one_process(*self.options)


if __name__ == "__main__":
    if not SlurmStudy.program[0]:
        skip_all("no study program was built")
    run_tests()
