"""Checkouts of this project, and programs built in them: what the scripts that compare two commits share.

A commit is checked out as a git worktree, build/compare/<hash>, which stays with what is built in it: the second
comparison with it builds nothing. Remove one by `git worktree remove --force build/compare/<hash>`.
"""

import dataclasses
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
CACHE = TOP / "build/compare"


class CheckoutError(RuntimeError):
    """A checkout cannot be had or built."""


@dataclasses.dataclass
class Checkout:
    name: str
    folder: pathlib.Path

    def build(self, preset, target):
        """The build folder of a preset, with a target built. CMAKE_BUILD_PARALLEL_LEVEL says how many compilers run at
        a time."""
        say(f"building {target} of {self.name}")
        # So that ccache takes for the same what lies in another folder.
        environment = os.environ | {"CCACHE_BASEDIR": str(self.folder), "CCACHE_NOHASHDIR": "1"}
        for command in (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset, "--target", target]):
            done = subprocess.run(command, cwd=self.folder, env=environment, stdout=sys.stderr, check=False)
            if done.returncode != 0:
                raise CheckoutError(f"{target} of {self.name} cannot be built in {self.folder}")
        return self.folder / "build" / preset


def say(text):
    print(text, file=sys.stderr, flush=True)


def git(*arguments, folder=TOP):
    """What git prints; None where it fails."""
    done = subprocess.run(["git", *arguments], cwd=folder, text=True, capture_output=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def find(what):
    """The checkout that is meant: a folder of one, a commit, or, by None, the working tree."""
    if what is None:
        return Checkout(f"the working tree ({git('describe', '--always', '--dirty') or 'no commit'})", TOP)
    folder = pathlib.Path(what).resolve()
    if (folder / "CMakePresets.json").exists():
        return Checkout(what, folder)
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{what}^{{commit}}")
    if commit is None:
        raise CheckoutError(f"'{what}' is no folder of a checkout and no commit")
    folder = CACHE / commit[:12]
    if not folder.exists():
        say(f"checking {what} out into {folder}")
        CACHE.mkdir(parents=True, exist_ok=True)
        # --force: a worktree that was deleted by hand may still be registered.
        if git("worktree", "add", "--force", "--detach", str(folder), commit) is None:
            raise CheckoutError(f"git cannot make a worktree of '{what}' in {folder}")
    here = git("rev-parse", "--show-toplevel", "HEAD", folder=folder)
    if here != f"{folder}\n{commit}" or git("status", "--porcelain", folder=folder) != "":
        raise CheckoutError(f"{folder} is not '{what}' as committed: remove it (git worktree remove --force {folder})")
    return Checkout(what if what.startswith(commit[:7]) else f"{what} ({commit[:7]})", folder)
