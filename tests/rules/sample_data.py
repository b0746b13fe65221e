#!/usr/bin/python3
"""sample_data.py ROOT: every file of tests/data/demo is in its manifest with licence and checksum, and all is small."""
import hashlib
import os
import re
import sys

MAX_BYTES = 14_000_000
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def main():
    demo = os.path.join(sys.argv[1], "tests/data/demo")
    with open(os.path.join(demo, "LICENCES.md"), encoding="utf-8") as file:
        rows = {row[0]: row for row in ROW.findall(file.read())}
    names = {os.path.relpath(os.path.join(folder, name), demo) for folder, _, found in os.walk(demo) for name in found}
    names.discard("LICENCES.md")
    problems = [f"{name}: not in LICENCES.md" for name in sorted(names - set(rows))]
    problems += [f"{name}: in LICENCES.md alone" for name in sorted(set(rows) - names)]
    total = 0
    for name in sorted(names & set(rows)):
        with open(os.path.join(demo, name), "rb") as file:
            data = file.read()
        total += len(data)
        if hashlib.sha256(data).hexdigest() != rows[name][4]:
            problems.append(f"{name}: another sha256 than in LICENCES.md")
        if not rows[name][2].strip():
            problems.append(f"{name}: no licence")
    if total > MAX_BYTES:
        problems.append(f"{total} bytes in all, more than {MAX_BYTES}")
    print("\n".join(problems) if problems else f"{len(names)} files, {total} bytes")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
