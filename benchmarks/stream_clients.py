#!/usr/bin/python3
"""Sessions that scroll, each in a process of its own: stream_clients.py PORT CLIENTS SECONDS RATE [--stall SECONDS].

Each opens the first image of the server in one axial view of 1280x720 and sets the crosshair RATE times a second to the
next slice. Prints JSON: for each client pictures a second and the times (ms) from an edit to the arrival of the first picture
that shows it. --stall: one client that asks in the same way and reads nothing.
"""
import argparse
import json
import multiprocessing
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "system"))
import nora_client  # noqa: E402

VIEW = {"axial": {"width": 1280, "height": 720}}


class Viewer:
    def __init__(self, port):
        server = nora_client.Site(port)  # one that runs already
        self.client = nora_client.Client(server)
        entry = next(e for e in server.catalogue() if e["kind"] == "image" and e["state"] == "present")
        scene = self.client.open(server, entry["name"], VIEW)
        self.at = scene["crosshairMm"]
        self.client.wait_frame("axial", quality=2)
        self.number = 0

    def turn(self):
        """Asks for the next slice; 40 up, 40 down."""
        self.at = list(self.at)
        self.at[2] += 1 if self.number % 80 < 40 else -1
        self.number += 1
        return self.client.send({"type": "edit", "patch": [{"op": "replace", "path": "/crosshairMm", "value": self.at}]})


def scroll(port, seconds, rate, ready, go, results):
    viewer = Viewer(port)
    asked, frames, done = [], [], threading.Event()

    def receive():
        viewer.client.socket.settimeout(0.5)
        while not done.is_set():
            try:
                message = viewer.client.receive()
            except (socket.timeout, TimeoutError):
                continue
            except (OSError, nora_client.Closed):
                return
            if isinstance(message, nora_client.Frame):
                frames.append((time.monotonic(), message.input))

    ready.release()
    go.wait()
    receiver = threading.Thread(target=receive)
    receiver.start()
    start = time.monotonic()
    for i in range(int(seconds * rate)):
        asked.append((viewer.turn(), time.monotonic()))
        time.sleep(max(0.0, start + (i + 1) / rate - time.monotonic()))
    moving = time.monotonic()
    time.sleep(1)  # the last ones arrive
    done.set()
    receiver.join()
    times = []
    for number, at in asked:
        shown = next((arrived for arrived, newest in frames if newest >= number), None)
        if shown is not None:
            times.append((shown - at) * 1e3)
    count = len({newest for arrived, newest in frames if start < arrived <= moving})  # what shows something new
    results.put({"perSecond": count / (moving - start), "times": times, "never": len(asked) - len(times)})


def stall(port, seconds, rate, ready, go):
    viewer = Viewer(port)
    ready.release()
    go.wait()
    end = time.monotonic() + seconds + 2
    while time.monotonic() < end:
        try:
            viewer.turn()
        except OSError:
            return  # the server has had enough of it
        time.sleep(1 / rate)


def main():
    parser = argparse.ArgumentParser()
    for name, kind in (("port", int), ("clients", int), ("seconds", float), ("rate", float)):
        parser.add_argument(name, type=kind)
    parser.add_argument("--stall", action="store_true")
    options = parser.parse_args()
    results, ready, go = multiprocessing.Queue(), multiprocessing.Semaphore(0), multiprocessing.Event()
    common = (options.port, options.seconds, options.rate, ready, go)
    workers = [multiprocessing.Process(target=scroll, args=(*common, results)) for _ in range(options.clients)]
    workers += [multiprocessing.Process(target=stall, args=common)] if options.stall else []
    for worker in workers:
        worker.start()
    for _ in workers:
        if not ready.acquire(timeout=nora_client.TIMEOUT):
            sys.exit("a client does not get its first picture")
    print("ready", flush=True)
    go.set()
    found = [results.get(timeout=options.seconds + 30) for _ in range(options.clients)]
    for worker in workers:
        worker.join()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
