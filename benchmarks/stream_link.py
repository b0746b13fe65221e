#!/usr/bin/python3
"""A network between this machine and a namespace of its own: stream_link.py NAMESPACE. Needs root and /dev/net/tun.

The namespace is made, a TUN device is put on each side (10.97.0.1 here, 10.97.0.2 there), and this program carries the
IP packets from one to the other, each way with a delay, a rate, a loss and a queue, as `tc netem` does. netem itself is
not used: many kernels of virtual machines and containers are built without it, and a program of 150 lines does the same
on all of them. TCP on both sides is the kernel's, so losses are sent again as they are in earnest.

Commands on stdin, one JSON object a line, each answered by a line on stdout:
  {"delayMs": 20, "mbit": 10, "loss": 0.01}   each way; mbit 0: as fast as it goes
  {"up": false}                               nothing passes, either way; what is on its way is lost
  {"count": true}                             bytes and packets that passed and were dropped since the last such question
It ends, and takes namespace and devices along, when stdin ends.
"""
import collections
import fcntl
import heapq
import json
import os
import random
import select
import signal
import struct
import subprocess
import sys
import time

HERE, THERE = "10.97.0.1", "10.97.0.2"
QUEUE_PACKETS = 1000  # netem's default
SEED = 6
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
PACKET_BYTES = 65536
MTU = 1500


def run(*command):
    subprocess.run(command, check=True)


def open_device(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


class Way:
    """One direction: packets of `source` come out of `target` later, or not at all."""

    def __init__(self, source, target, seed):
        self.source, self.target = source, target
        self.random = random.Random(seed)
        self.waiting = collections.deque()  # (time of leaving, packet): of one delay, so in order
        self.leaves = []  # times at which waiting packets have left the queue for the wire
        self.free_at = 0.0  # when the wire has sent all that was queued
        self.delay, self.rate, self.loss, self.up = 0.0, 0.0, 0.0, True
        self.reset()

    def reset(self):
        self.counts = {"packets": 0, "bytes": 0, "lost": 0, "overflowed": 0}

    def take(self):
        for _ in range(64):
            try:
                packet = os.read(self.source, PACKET_BYTES)
            except BlockingIOError:
                return
            self.queue(packet, time.monotonic())

    def queue(self, packet, now):
        if not self.up or self.random.random() < self.loss:
            self.counts["lost"] += 1
            return
        while self.leaves and self.leaves[0] <= now:
            heapq.heappop(self.leaves)
        if len(self.leaves) >= QUEUE_PACKETS:
            self.counts["overflowed"] += 1
            return
        self.free_at = max(now, self.free_at) + (len(packet) * 8 / self.rate if self.rate else 0.0)
        heapq.heappush(self.leaves, self.free_at)
        self.waiting.append((self.free_at + self.delay, packet))

    def give(self, now):
        while self.waiting and self.waiting[0][0] <= now:
            packet = self.waiting.popleft()[1]
            self.counts["packets"] += 1
            self.counts["bytes"] += len(packet)
            try:
                os.write(self.target, packet)
            except OSError:
                self.counts["overflowed"] += 1

    def cut(self):
        self.up = False
        self.counts["lost"] += len(self.waiting)
        self.waiting.clear()
        self.leaves.clear()
        self.free_at = 0.0


def command(line, ways):
    """Carries out one command and returns the answer."""
    wanted = json.loads(line)
    for way in ways:
        way.delay = wanted.get("delayMs", way.delay * 1e3) / 1e3
        way.rate = wanted.get("mbit", way.rate / 1e6) * 1e6
        way.loss = wanted.get("loss", way.loss)
        if wanted.get("up") is False:
            way.cut()
        elif wanted.get("up"):
            way.up = True
    answer = {}
    if wanted.get("count"):
        answer = {name: way.counts for name, way in zip(("toServer", "toClient"), ways)}
        for way in ways:
            way.reset()
    return answer


def carry(ways):
    poll = select.epoll()
    poll.register(sys.stdin.fileno(), select.EPOLLIN)
    by_source = {way.source: way for way in ways}
    for source in by_source:
        poll.register(source, select.EPOLLIN)
    while True:
        due = min((way.waiting[0][0] for way in ways if way.waiting), default=None)
        timeout = 1.0 if due is None else max(0.0, due - time.monotonic())
        for descriptor, _ in poll.poll(timeout):
            if descriptor in by_source:
                by_source[descriptor].take()
                continue
            line = sys.stdin.readline()
            if not line:
                return
            print(json.dumps(command(line, ways)), flush=True)
        now = time.monotonic()
        for way in ways:
            way.give(now)


def main():
    namespace = sys.argv[1]
    here, there = f"nora{os.getpid() % 100000}a", f"nora{os.getpid() % 100000}b"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the benchmark ends it by closing stdin
    run("ip", "netns", "add", namespace)
    try:
        ends = [open_device(here), open_device(there)]
        run("ip", "link", "set", there, "netns", namespace)
        run("ip", "addr", "add", HERE, "peer", THERE, "dev", here)
        run("ip", "link", "set", here, "mtu", str(MTU), "up")
        inside = ("ip", "netns", "exec", namespace, "ip")
        run(*inside, "addr", "add", THERE, "peer", HERE, "dev", there)
        run(*inside, "link", "set", there, "mtu", str(MTU), "up")
        run(*inside, "link", "set", "lo", "up")
        print(json.dumps({"here": HERE, "there": THERE}), flush=True)
        carry([Way(ends[0], ends[1], SEED), Way(ends[1], ends[0], SEED + 1)])
    finally:
        subprocess.run(["ip", "netns", "del", namespace], check=False)


if __name__ == "__main__":
    main()
