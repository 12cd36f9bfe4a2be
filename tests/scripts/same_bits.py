"""scripts/same-bits on two small made-up studies: each difference is found and named, other names are none."""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]


def safetensors(tensors, notes):
    """The bytes of a file; tensors: [(name, dtype, data)]."""
    header, data = {"__metadata__": notes}, b""
    for name, dtype, raw in tensors:
        size = struct.calcsize({"F32": "<f", "U32": "<I", "U8": "<B"}[dtype])
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": dtype, "shape": [len(raw) // size], "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


class Study:
    """What a run and its report hold; what a test changes before they are written."""

    def __init__(self):
        self.tables = {
            "images.csv": "cell,item,loss\n0,5,0.25\n0,7,1.5\n",
            "cells.csv": 'cell,attack_values\n0,"{""epsilon"":0.01}"\n',
            "sweep.csv": "cell,epsilon,correct\n0,0,2\n",
        }
        self.trainings, self.groups = ["balanced-seed1-0123abcd", "under-3-60-seed1-4567cdef"], ["class3-x-89abcdef"]
        self.weights = {name: [("a.weight", "F32", floats(1, 2, 3)), ("a.bias", "F32", floats(n))]
                        for n, name in enumerate(self.trainings)}  # fmt: skip
        self.record = [("items", "U32", struct.pack("<2I", 4, 9)), ("held_out", "U8", b"\7")]
        self.history = {"best": 1, "rounds": [{"train_loss": 0.5, "valid": 0.75}, {"train_loss": 0.25, "valid": None}]}
        self.cells = [("cell0.cosine", "F32", floats(0.5, float("nan")))]
        self.identity = "one"

    def write(self, folder):
        (folder / "out").mkdir(parents=True)
        for name, text in self.tables.items():
            (folder / "out" / name).write_text(text)
        parts = {"trainings": [{"name": n} for n in self.trainings], "groups": [{"name": n} for n in self.groups]}
        (folder / "run/cells").mkdir(parents=True)
        (folder / "run/plan.json").write_text(json.dumps(parts))
        for name in self.trainings:
            training = folder / "run/trainings" / name
            training.mkdir(parents=True)
            if name in self.weights:
                notes = {"made_by": self.identity}
                (training / "network.safetensors").write_bytes(safetensors(self.weights[name], notes))
                notes["skewgrad.history"] = json.dumps(self.history)
                (training / "record.safetensors").write_bytes(safetensors(self.record, notes))
        for name in self.groups:
            file = folder / "run/cells" / f"{name}.safetensors"
            file.write_bytes(safetensors(self.cells, {"made_by": self.identity}))


class Compared(unittest.TestCase):
    def setUp(self):
        self.old, self.new = Study(), Study()

    def compare(self):
        """(exit status, lines)."""
        with tempfile.TemporaryDirectory() as folder:
            sides = [pathlib.Path(folder) / "old", pathlib.Path(folder) / "new"]
            self.old.write(sides[0])
            self.new.write(sides[1])
            done = subprocess.run([sys.executable, TOP / "scripts/same-bits", "--runs", *sides], text=True,
                                  capture_output=True, check=False)  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def finds(self, line):
        code, text = self.compare()
        self.assertEqual(code, 1, text)
        self.assertIn(line, text.splitlines())
        self.assertEqual(text.count("differ;"), 1, text)

    def same(self):
        code, text = self.compare()
        self.assertEqual(code, 0, text)
        return text

    def test_equal_studies(self):
        self.assertEqual(
            self.same().splitlines(),
            [
                "images.csv: 2 rows compared, none differs",
                "cells.csv: 1 rows compared, none differs",
                "sweep.csv: 1 rows compared, none differs",
                "networks: 4 tensors compared, none differs",
                "trainings' records: 4 tensors compared, none differs",
                "trainings' histories: 2 histories compared, none differs",
                "files of cells: 1 tensors compared, none differs",
            ],
        )

    def test_a_bit_of_a_weight(self):
        name, dtype, raw = self.new.weights["under-3-60-seed1-4567cdef"][0]
        self.new.weights["under-3-60-seed1-4567cdef"][0] = (name, dtype, raw[:4] + b"\1" + raw[5:])
        self.finds(
            "networks: 4 tensors compared, 1 differ; first: under-3-60-seed1-4567cdef, tensor a.weight, "
            "element 1: 2.0 became 2.000000238418579 (bytes 00000040, 01000040)"
        )

    def test_a_row_of_images(self):
        self.new.tables["images.csv"] = self.new.tables["images.csv"].replace("1.5", "1.5000001")
        self.finds("images.csv: 2 rows compared, 1 differ; first: row 2, loss: '1.5' became '1.5000001'")

    def test_a_row_more(self):
        self.new.tables["sweep.csv"] += "0,0.1,1\n"
        self.finds("sweep.csv: 2 rows compared, 1 differ; first: row 2 is only in NEW")

    def test_no_table(self):
        del self.new.tables["cells.csv"]
        self.finds("cells.csv: 1 rows compared, 1 differ; first: cells.csv is only in OLD")

    def test_a_cell(self):
        self.new.cells = [("cell0.cosine", "F32", floats(0.5, 0.5))]
        self.finds(
            "files of cells: 1 tensors compared, 1 differ; first: class3-x-89abcdef, tensor cell0.cosine, "
            "element 1: nan became 0.5 (bytes 0000c07f, 0000003f)"
        )

    def test_an_item_of_a_record(self):
        self.new.record[0] = ("items", "U32", struct.pack("<2I", 4, 8))
        code, text = self.compare()
        self.assertEqual(code, 1)
        self.assertIn("trainings' records: 4 tensors compared, 2 differ; first: balanced-seed1-0123abcd, ", text)

    def test_a_loss_that_no_tensor_holds(self):
        self.new.history["rounds"][1]["valid"] = 0.5
        code, text = self.compare()
        self.assertEqual(code, 1)
        self.assertIn("2 histories compared, 2 differ; first: balanced-seed1-0123abcd, round 2: ", text)

    def test_no_network_on_one_side(self):
        del self.new.weights["balanced-seed1-0123abcd"]
        code, text = self.compare()
        self.assertEqual(code, 1)
        self.assertIn("first: trainings/balanced-seed1-0123abcd/network.safetensors is only in OLD", text)

    def test_a_training_fewer(self):
        self.new.trainings.pop()
        code, text = self.compare()
        self.assertEqual(code, 1)
        self.assertIn("first: under-3-60-seed1-4567cdef is only in OLD", text)

    def test_another_length(self):
        self.new.cells = [("cell0.cosine", "F32", floats(0.5))]
        self.finds(
            "files of cells: 1 tensors compared, 1 differ; first: class3-x-89abcdef, tensor cell0.cosine, "
            "F32 [2] became F32 [1]"
        )

    def test_other_names_are_no_difference(self):
        self.new.identity = "another"
        self.new.tables["images.csv"] = self.new.tables["images.csv"].replace("item", "image")
        # Another digest alone; then another word as well, in the plan's order.
        for words in ("balanced-seed1-ffffffff", "under-3-60-seed1-eeeeeeee"), ("even-seed1-f0f0f0f0", "few-e0e0e0e0"):
            with self.subTest(words):
                self.new.weights = dict(zip(words, Study().weights.values()))
                self.new.trainings = list(words)
                self.new.record = [("items", "U32", struct.pack("<2I", 4, 9)), ("validation", "U8", b"\7")]
                rounds = [{"zz": v["train_loss"], "a": v["valid"]} for v in self.old.history["rounds"]]
                self.new.history = {"a": rounds, "z": 1}
                self.assertIn("(columns with other titles: item is now image)", self.same())

    def test_trainings_in_another_order(self):
        self.new.trainings.reverse()
        self.same()

    def test_a_renamed_tensor_that_differs(self):
        self.new.record[1] = ("validation", "U8", b"\6")
        code, text = self.compare()
        self.assertEqual(code, 1)
        self.assertIn("tensor held_out (now validation), element 0: 7 became 6 (bytes 07, 06)", text)

    def test_nothing_to_compare(self):
        for study in (self.old, self.new):
            study.weights = {}
        code, text = self.compare()
        self.assertEqual(code, 1)
        self.assertIn("networks: no tensors to compare", text)


if __name__ == "__main__":
    unittest.main()
