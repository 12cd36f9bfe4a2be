"""scripts/check-numbers on copies of this tree with one fault each: it must name that fault and no other document."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
READ = ("README.md", "docs", "include/skewgrad/report/paper.hpp")


def check(root, *options):
    done = subprocess.run(
        [sys.executable, TOP / "scripts/check-numbers", "--root", root, *options],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class OneFault(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for path in READ:
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            if (TOP / path).is_dir():
                shutil.copytree(TOP / path, self.root / path)
            else:
                shutil.copy(TOP / path, self.root / path)

    def change(self, path, now, then):
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        self.assertIn(now, text)
        file.write_text(text.replace(now, then, 1), encoding="utf-8")

    def finds(self, path, now, then, *named):
        """With `now` changed to `then` the check fails, and says each of `named`."""
        self.change(path, now, then)
        code, text = check(self.root)
        self.assertEqual(code, 1, text)
        for words in named:
            self.assertIn(words, text)

    def test_none(self):
        self.assertEqual(check(self.root), (0, ""))

    def test_a_cell_of_a_table(self):
        self.finds(
            "README.md", "| 72.8 (84) |", "| 72.9 (84) |", "README.md: the table 'table 1, as written' is not that"
        )

    def test_a_sum_of_times(self):
        self.finds(
            "docs/results/README.md",
            "8 min 4 s for both",
            "8 min 14 s for both",
            "docs/results/README.md does not say: ended 40 s after the first: 8 min 4 s for both",
        )

    def test_a_number_in_a_sentence_broken_over_lines(self):
        self.finds("docs/cuda.md", "121,700 images a second", "140,000\nimages a second", "docs/cuda.md does not say")

    def test_a_number_that_nobody_made(self):
        self.finds(
            "docs/results/README.md",
            "Seeds are few.",
            "Seeds are few, 17 of them.",
            "where does this number come from? ... ",
            "17",
        )

    def test_a_csv_that_changed_under_its_documents(self):
        self.finds(
            "docs/results/as-run-12-rounds/claims.csv",
            "C5 over,1,points,13.99",
            "C5 over,1,points,14.99",
            "docs/results/README.md: the table 'claims, as run' is not that",
        )

    def test_an_average_over_other_classes(self):
        self.finds(
            "docs/results/as-written-12-rounds/square.csv",
            "average,27.6",
            "average,30.3",
            "as-written-12-rounds/square.csv, balanced: the average is 30.3",
        )

    def test_a_class_of_one_seed_alone(self):
        self.finds(
            "docs/results/as-written-12-rounds/square.csv",
            "dog,,,,",
            "dog,22.7,,,",
            "as-written-12-rounds/square.csv, balanced: dog has no interval where others have, so some seeds lack it",
        )

    def test_an_average_among_a_figures_numbers(self):
        self.finds(
            "docs/results/quick/figure_5.csv",
            "61.563081612777864,,,,balanced,average",
            "63.3,,,,balanced,average",
            "quick/figure_5.csv, balanced: the average is 63.3000, over the 7 classes in all columns 61.5631",
        )

    def test_an_average_in_a_figure(self):
        self.finds(
            "docs/results/as-written-12-rounds/figure_5.svg",
            "under, average: 76.31",
            "under, average: 75.52",
            "as-written-12-rounds/figure_5.svg, under: the average is 75.52",
        )

    def test_a_speed_in_the_readme(self):
        self.finds(
            "docs/performance.md",
            "| 22,797 |",
            "| 22,897 |",
            "README.md: the table 'speeds' is not that",
            "docs/performance.md does not say",
        )

    def test_a_table_without_marks(self):
        self.finds(
            "README.md",
            "<!-- scripts/check-numbers begins: speeds -->",
            "",
            "README.md: no marks of the table 'speeds'",
        )

    def test_fix_writes_the_tables_anew(self):
        before = (self.root / "README.md").read_text(encoding="utf-8")
        self.change("README.md", "| 72.8 (84) |", "| 72.9 (84) |")
        self.assertEqual(check(self.root, "--fix"), (0, "README.md: wrote the table 'table 1, as written'\n"))
        self.assertEqual((self.root / "README.md").read_text(encoding="utf-8"), before)


if __name__ == "__main__":
    unittest.main()
