"""A Markdown document whose tables and sentences are held against their sources."""

import decimal
import re

BEGINS, ENDS = "<!-- scripts/check-numbers begins: {} -->", "<!-- scripts/check-numbers ends -->"
FENCES = re.compile(r"^```.*?^```", re.S | re.M)
MARKED = re.compile(r"<!-- ([\w/-]+) begins.*?<!-- \1 ends -->", re.S)
# Text with digits that states no number: code, link targets, names of claims.
NO_NUMBER = re.compile(r"`[^`]*`|\[[\w-]*\]\([^)]*\)|\]\([^)]*\)|\bC\d[abc]?\b")


def one_line(text):
    return " ".join(text.split())


def table(head, rows, left=1):
    """A Markdown table; all columns but the first `left` are numbers."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def points(x, digits=1):
    """As documents state it: halves away from 0, after the noise in a sum's last bits; no -0.0."""
    text = str(decimal.Decimal(str(round(x, 9))).quantize(decimal.Decimal(1).scaleb(-digits), decimal.ROUND_HALF_UP))
    return text.lstrip("-") if float(text) == 0 else text


def thousands(x):
    return f"{x:,.0f}"


def word(count):
    return "zero one two three four five six seven eight nine ten".split()[count]


class Document:
    def __init__(self, root, path, fix):
        self.file, self.path, self.fix = root / path, path, fix
        self.text = self.file.read_text(encoding="utf-8")
        self.phrases, self.whole, self.blocks, self.faults = [], [], set(), []

    def block(self, name, lines):
        """The text between the marks of `name` is `lines`."""
        begins = BEGINS.format(name)
        self.blocks.add(name)
        head, mark, rest = self.text.partition(begins)
        now, end, tail = rest.partition(ENDS)
        if not mark or not end:
            self.faults.append(f"{self.path}: no marks of the table '{name}'")
        elif now.strip() != lines.strip():
            if self.fix:
                self.text = f"{head}{mark}\n{lines}\n{end}{tail}"
                self.file.write_text(self.text, encoding="utf-8")
                print(f"{self.path}: wrote the table '{name}'")
            else:
                self.faults.append(f"{self.path}: the table '{name}' is not that of its files (check-numbers --fix)")

    def states(self, *sentences):
        """Each stands in the document, however its lines are broken."""
        self.phrases += [one_line(s) for s in sentences]

    def given(self, *phrases):
        """Stands in the document and has no file to be checked against."""
        self.states(*phrases)

    def holds(self, claim, condition):
        """What the document says in words."""
        if not condition:
            self.faults.append(f"{self.path}: it is not so that {claim}")

    def checked_whole(self, heading):
        """The section under this heading has no number but those of its tables and sentences."""
        self.whole.append(heading)

    def prose(self, text):
        return one_line(MARKED.sub(" ", FENCES.sub(" ", text)))

    def finish(self):
        text = self.prose(self.text)
        for phrase in self.phrases:
            if phrase not in text:
                self.faults.append(f"{self.path} does not say: {phrase}")
        for name in re.findall(re.escape(BEGINS).replace(r"\{\}", "(.*?)"), self.text):
            if name not in self.blocks:
                self.faults.append(f"{self.path}: nothing makes the table '{name}'")
        for heading in self.whole:
            self.faults += self.numbers_without_source(heading)
        return self.faults

    def numbers_without_source(self, heading):
        level = heading.split(" ")[0]
        _, found, rest = self.text.partition(f"\n{heading}\n")
        if not found:
            return [f"{self.path}: no section '{heading}'"]
        section = self.prose(re.split(rf"\n#{{1,{len(level)}}} ", rest)[0])
        for phrase in sorted(self.phrases, key=len, reverse=True):
            section = section.replace(phrase, " ~ ")
        section = NO_NUMBER.sub(" ~ ", section)
        return [
            f"{self.path}, '{heading}': where does this number come from? ... "
            f"{section[max(0, m.start() - 50):m.end() + 30].strip()} ..."
            for m in re.finditer(r"\d[\d.,]*", section)
        ]
