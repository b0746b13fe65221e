#!/usr/bin/env python3
"""Runs the benchmarks and prints a table: ./bench [STAGE...] [--json FILE].

Stages: render, scaling, geometry, stream, formats (C++, build/bin/nora_bench), page and stream (the real page in Chromium),
archive (a million files, by HTTP).
`stream` has scenarios of its own, see benchmarks/stream_bench.mjs; --only picks some, --quick takes fewer inputs.
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NATIVE = ("render", "scaling", "geometry", "stream", "formats")
STAGES = NATIVE + ("page", "archive")
ENCODERS = "encode"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release().split(chr(45))[0]}, commit {commit.stdout.strip()}"


def number(value):
    if value is None:
        return "-"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def table(rows):
    head = ("id", "what", "value", "unit", "target", "met", "peer", "ratio")
    lines = [head]
    for row in rows:
        met = {True: "yes", False: "NO", None: "-"}[row["met"]]
        peer = f'{number(row["peerValue"])} ({row["peer"]})' if row["peer"] else "-"
        lines.append((row["id"] or "-", row["name"], number(row["value"]), row["unit"], number(row["target"]), met, peer,
                      number(row["ratio"])))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def say_left_out(rows):
    for row in rows:
        if row["value"] is None and row.get("note"):
            print(f'{row["name"]}: {row["note"]}')


def run_script(script, *options):
    done = subprocess.run(["node", ROOT / "benchmarks" / script, *options], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def run_streaming(arguments):
    only = arguments.only.split(",") if arguments.only else []
    if only == [ENCODERS]:
        return []
    print("measuring streaming (Chromium) ...", file=sys.stderr)
    options = ["--quick"] if arguments.quick else []
    if only:
        options += ["--only", ",".join(name for name in only if name != ENCODERS)]
    if arguments.soak_minutes:
        options += ["--soak-minutes", arguments.soak_minutes]
    return run_script("stream_bench.mjs", *options)


def main():
    parser = argparse.ArgumentParser(prog="./bench")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=", ".join(STAGES) + "; all by default")
    parser.add_argument("--json", metavar="FILE", help="write the rows there")
    parser.add_argument("--only", metavar="NAME,...", help=f"scenarios of the stage stream alone; {ENCODERS}: its C++ part")
    parser.add_argument("--quick", action="store_true", help="stream with few inputs, archive with few files: to see that they work")
    parser.add_argument("--soak-minutes", metavar="N", help="length of the last scenario of the stage stream, 10 by default")
    arguments = parser.parse_args()
    unknown = [stage for stage in arguments.stages if stage not in STAGES]
    if unknown:
        parser.error(f"unknown stage {unknown[0]}; there are {', '.join(STAGES)}")
    stages = arguments.stages or list(STAGES)

    rows = []
    native = [stage for stage in stages if stage in NATIVE]
    if arguments.only and ENCODERS not in arguments.only.split(","):
        native = [stage for stage in native if stage != "stream"]
    if native:
        print(f"measuring {', '.join(native)} ...", file=sys.stderr)
        done = subprocess.run([ROOT / "build/bin/nora_bench", *native], stdout=subprocess.PIPE, text=True, check=True)
        rows += json.loads(done.stdout)
    if "page" in stages:
        print("measuring page (Chromium) ...", file=sys.stderr)
        for script in ("page_bench.mjs", "drag_bench.mjs"):
            rows += run_script(script)
    if "stream" in stages:
        rows += run_streaming(arguments)
    if "archive" in stages:
        print("measuring archive ...", file=sys.stderr)
        done = subprocess.run([sys.executable, ROOT / "benchmarks/archive_http.py", *(["50000"] if arguments.quick else [])], stdout=subprocess.PIPE, text=True, check=True)
        rows += json.loads(done.stdout)
    for row in rows:
        row["machine"] = machine()
    table([row for row in rows if row["value"] is not None])
    say_left_out(rows)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
