# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be drawn of an import that another process ran."""

import json
import os

from harness import NOT_FOUND, contains, equal, main, test


def finished_job(root):
    image = root.active(root.write("disk.raw", os.urandom(1 << 16)))
    return root.jobs(image)[0]


@test
def graph_of_a_finished_job_has_its_tasks(root):
    job = finished_job(root)
    graph, _ = root.run("job-graph", job["id"])
    contains(graph, f'digraph "job {job["id"]}" {{')
    for task in job["tasks"]:
        contains(graph, f'label="{task["name"]}\\nsuccess ')
    equal(graph.count(" -> "), sum(len(task["after"]) for task in job["tasks"]), "links")


@test
def trace_of_a_finished_job_has_its_times(root):
    job = finished_job(root)
    trace = json.loads(root.run("job-trace", job["id"])[0])
    slices = {event["name"]: event for event in trace["traceEvents"] if event["ph"] == "X"}
    equal(sorted(slices), sorted(task["name"] for task in job["tasks"]))
    for task in job["tasks"]:
        equal(slices[task["name"]]["ts"], task["start"])
        equal(slices[task["name"]]["dur"], task["duration"])


@test
def what_is_not_there_is_not_drawn(root):
    for command in ("job-graph", "job-trace"):
        root.refused(NOT_FOUND, "job-not-found", command, "00000000-0000-4000-8000-000000000000")


if __name__ == "__main__":
    main()
