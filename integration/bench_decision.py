#!/usr/bin/env python3
"""Measures how long an installed Cinder takes to decide.

Reads cases of the vectors' format from standard input, as a JSON list, and
writes what it took for each. What is measured is filtering and weighing alone:
the scheduler has the state of the backends before the clock starts,
and nothing is read from a database or sent anywhere. That is the least that a
decision of Cinder costs.
"""

import json
import logging
import sys
import time

import vectors  # first: it silences warnings and registers objects

from cinder import version

LONGEST = 1.0  # seconds, after which no further run is made
MINIMUM = 3    # runs, unless one alone takes longer than LONGEST


def decider(case):
    vectors.configure(case["options"])
    scheduler = vectors.Scheduler(case["backends"])
    manager = scheduler.host_manager
    states = list(manager.get_all_backend_states(scheduler.context))
    spec, properties = scheduler.arguments(case["request"])
    # Without backends, the scheduler only completes the arguments.
    manager.get_all_backend_states = lambda context: []
    scheduler._get_weighted_candidates(scheduler.context, spec, properties)

    def decide():
        fit = manager.filter_handler.get_filtered_objects(
            manager.enabled_filters, states, properties)
        return manager.get_weighed_backends(fit, properties)

    return decide


def measure(decide):
    best, total, runs = float("inf"), 0, 0
    while runs == 0 or (total < LONGEST or runs < MINIMUM) and best < LONGEST:
        start = time.perf_counter()
        weighed = decide()
        took = time.perf_counter() - start
        best, total, runs = min(best, took), total + took, runs + 1
    return {"seconds": best, "runs": runs, "fit": len(weighed),
            "chosen": weighed[0].obj.backend_id}


def main():
    logging.disable(logging.CRITICAL)
    if not vectors.usable_evaluator():
        sys.exit("Cinder's evaluator does not work with this pyparsing: "
                 "install 'pyparsing<3.3.3'")
    vectors.CONF([], project="cinder", default_config_files=[],
                 default_config_dirs=[])
    json.dump({"cinder": version.version_string(),
               "measured": [measure(decider(c)) for c in json.load(sys.stdin)]},
              sys.stdout)


if __name__ == "__main__":
    main()
