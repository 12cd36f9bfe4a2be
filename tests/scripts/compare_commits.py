"""benchmarks/compare_commits on made-up programs: what it asks, what it does without, and its exit status."""

import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
# Speeds of the turns in their order, again and again.
PROGRAM = """#!{python}
import json, sys
wish = {wish!r}
print(json.dumps(wish["about"]), flush=True)
turn = 0
for line in sys.stdin:
    request = json.loads(line)
    if request["work"] in wish["refused"]:
        answer = {{"error": "there is no such work"}}
    elif request.get("digest") and "digest" in wish["about"].get("fields", []):
        answer = {{"digest": wish["digest"]}}
    else:
        speed = wish["speeds"][turn % len(wish["speeds"])]
        turn += request["seconds"] > 0
        answer = {{"images_per_second": speed, "processor_share": 1, "asked": request}}
    print(json.dumps(answer), flush=True)
"""


class Program:
    def __init__(self, speeds=(100,), digest="00", fields=("images", "digest"), refused=()):
        about = {"program": "skewgrad", "backends": ["cpu-f32", "cpu-bf16"], "data": "made up"}
        if fields:
            about["fields"] = list(fields)
        self.wish = {"about": about, "speeds": list(speeds), "digest": digest, "refused": list(refused)}

    def write(self, file):
        file.write_text(PROGRAM.format(python=sys.executable, wish=self.wish))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file


class Compared(unittest.TestCase):
    def compare(self, old, new, *options):
        """(exit status, printed rows as lists of cells, all that was said, answers)."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            programs = [old.write(folder / "old"), new.write(folder / "new")]
            done = subprocess.run(
                [sys.executable, TOP / "benchmarks/compare_commits", *programs, "--json", folder / "answers",
                 "--network", "paper", "--backend", "cpu-f32", "--threads", "1", *options],
                text=True, capture_output=True, check=False,
            )  # fmt: skip
            answers = [json.loads(line) for line in (folder / "answers").read_text().splitlines()]
        lines = [line for line in done.stdout.splitlines() if line.startswith("| paper network,")]
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        return done.returncode, rows, done.stdout + done.stderr, answers

    def test_equal_programs(self):
        code, rows, text, answers = self.compare(Program(), Program())
        self.assertEqual(code, 0, text)
        self.assertEqual(len(rows), 8)
        self.assertEqual(
            rows[3],
            ["paper network, forward, 128 images, cpu-f32, 1 thread", "100", "100", "1.000", "1.000 to 1.000", "7",
             "100 %", "same", ""],
        )  # fmt: skip
        timed = [a for a in answers if isinstance(a.get("turn"), int)]
        self.assertEqual(len(timed), 8 * 7 * 2)
        self.assertEqual([a["side"] for a in timed[:4]], ["OLD", "NEW", "NEW", "OLD"])

    def test_median_of_turns(self):
        code, rows, text, _ = self.compare(
            Program([100, 50, 100, 50, 100]), Program([98, 49, 10, 51, 102]), "--work", "fgsm", "--batch", "32",
            "--turns", "5",
        )  # fmt: skip
        self.assertEqual(code, 0, text)
        self.assertEqual(rows[0][1:6], ["100", "51", "0.980", "0.980 to 1.020", "5"])

    def test_slower(self):
        code, rows, text, _ = self.compare(Program(), Program([96]), "--work", "training", "--batch", "32")
        self.assertEqual(code, 1, text)
        self.assertEqual(rows[0][3], "0.960")
        self.assertEqual(rows[0][8], "below 0.97")
        code, _, text, _ = self.compare(
            Program(), Program([96]), "--work", "training", "--batch", "32", "--least", "0.9"
        )
        self.assertEqual(code, 0, text)

    def test_other_bits(self):
        one = ("--work", "forward", "--batch", "32")
        code, rows, text, answers = self.compare(Program(), Program(digest="01"), *one)
        self.assertEqual(code, 1, text)
        self.assertEqual(rows[0][1:], ["–", "–", "–", "–", "0", "–", "differ", "results differ"])
        self.assertFalse([a for a in answers if isinstance(a.get("turn"), int)])
        code, rows, text, _ = self.compare(Program(), Program(digest="01"), *one, "--bits-may-differ")
        self.assertEqual((code, rows[0][7]), (0, "differ"), text)

    def test_an_old_program_of_fewer_fields(self):
        code, rows, text, answers = self.compare(Program(fields=()), Program())
        self.assertEqual(code, 0, text)
        self.assertEqual(
            [row[0].removeprefix("paper network, ") for row in rows],
            ["training, batch 32, cpu-f32, 1 thread", "training, batch 128, cpu-f32, 1 thread",
             "forward, 1,000 images, cpu-f32, 1 thread", "FGSM, 1,000 images, cpu-f32, 1 thread",
             "iterative, 10 steps, 1,000 images, cpu-f32, 1 thread"],
        )  # fmt: skip
        self.assertEqual({row[7] for row in rows}, {"–"})
        self.assertIn("OLD cannot be asked for 'images'", text)
        self.assertIn("OLD cannot be asked for 'digest'", text)
        forward = [a["asked"] for a in answers if a.get("asked", {}).get("work") == "forward"]
        self.assertEqual({a["images"] for a in forward}, {1000})

    def test_what_one_cannot_do(self):
        chosen = ("--work", "forward,iterative", "--batch", "32")
        code, rows, text, _ = self.compare(Program(refused=["iterative"]), Program(), *chosen)
        self.assertEqual((code, len(rows)), (0, 1), text)
        self.assertIn("left out, since OLD cannot: paper network, iterative", text)
        code, rows, text, _ = self.compare(Program(), Program(refused=["iterative"]), *chosen)
        self.assertEqual((code, len(rows)), (1, 2), text)
        self.assertEqual(rows[1][8], "NEW cannot do it: there is no such work")

    def test_nothing_compared(self):
        code, _, text, _ = self.compare(Program(refused=["fgsm"]), Program(), "--work", "fgsm")
        self.assertEqual(code, 2, text)


if __name__ == "__main__":
    unittest.main()
