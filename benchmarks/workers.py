"""Programs that answer requests, and how their answers are shown: what compare and compare_commits share."""

import contextlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys


def say(text):
    print(text, file=sys.stderr, flush=True)


def environment_of(threads):
    """The caller's, without what would steer another library, and with thread counts that all of them read."""
    mine = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "SKEWGRAD_THREADS"):
        mine[name] = str(threads)
    return mine


class Ended(RuntimeError):
    """A program is there no more."""


class Worker:
    """A program that answers requests, one at a time; it waits, asleep, while others are asked."""

    def __init__(self, name, command, environment):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr,
                                        text=True, env=environment)  # fmt: skip
        self.about = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Ended(f"{self.name}'s program ended by itself")
        return json.loads(line)

    def ask(self, request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Ended(f"{self.name}'s program ended by itself") from None
        answer = self.read()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def number(x, digits=0):
    return "–" if x is None else f"{x:,.{digits}f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def machine():
    info = pathlib.Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    model = re.search(r"model name\s*: (.*)", text)
    flags = set((re.search(r"flags\s*: (.*)", text) or [None, ""])[1].split())
    names = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "AVX-512 bf16", "amx_bf16": "AMX"}
    sets = ", ".join(name for flag, name in names.items() if flag in flags)
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores ({sets})"
