#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same shapes on TaskFlow: rival-taskflow.py SHAPE N REPEATS. Prints the median of seconds
by the wall, and of processors then."""

import sys
import time

import taskflow.engines
from taskflow import task
from taskflow.patterns import graph_flow, linear_flow, unordered_flow

LAYER = 100


class One(task.Task):
    def execute(self):
        return 1


def predecessors(shape, i):
    place = i % 4
    if shape == "diamonds" and place == 3:
        return [i - 2, i - 1]
    if shape == "diamonds" and i > 0:
        return [i - 2 if place == 2 else i - 1]
    if shape == "layered" and i >= LAYER:
        return [i - LAYER, i - i % LAYER - LAYER + (i + 1) % LAYER]
    return []


def build(shape, number):
    tasks = [One(name=f"t{i}", provides=f"t{i}") for i in range(number)]
    if shape == "linear":
        return linear_flow.Flow("f").add(*tasks)
    if shape == "unordered":
        return unordered_flow.Flow("f").add(*tasks)
    flow = graph_flow.Flow("f")
    flow.add(*tasks)
    for i, one in enumerate(tasks):
        for before in predecessors(shape, i):
            flow.link(tasks[before], one)
    return flow


def measure(shape, number):
    engine = taskflow.engines.load(build(shape, number))
    engine.compile()
    engine.prepare()
    wall, cpu = time.perf_counter(), time.process_time()
    engine.run()
    return time.perf_counter() - wall, time.process_time() - cpu


def main():
    shape, number, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    costs = sorted(measure(shape, number) for _ in range(repeats))
    print(*costs[len(costs) // 2])


if __name__ == "__main__":
    main()
