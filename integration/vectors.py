#!/usr/bin/env python3
"""Writes requests and the decisions of an installed Cinder to files.

The files are placement vectors: JSON objects {"kind": K, "cases": [...]}.
The Go tests of collector/placement compare their decisions with them. Run it
with a Python that has cinder installed:

    python3 vectors.py --seed 7 --out /tmp/vectors

The same seed makes the same requests. The decisions are those of Cinder's own
classes: HostManager, BackendState, FilterScheduler, extra_specs_ops and the
evaluator; only the list of services, which is in a database, is replaced.
"""

import argparse
import datetime
import gzip
import json
import logging
import os
import random
import signal
import sys
import types
import warnings

warnings.simplefilter("ignore")
sys.dont_write_bytecode = True  # the folder may be read-only

from cinder import context
from cinder import objects
from cinder import version
from oslo_config import cfg
import pyparsing

objects.register_all()  # needed by the imports below

from cinder.compute import nova
from cinder.scheduler.evaluator import evaluator
from cinder.scheduler.filters import extra_specs_ops
from cinder.scheduler import filter_scheduler
from cinder.scheduler import host_manager
from cinder.scheduler import scheduler_options
from cinder.scheduler.weights import capacity as _  # for its options

import vectors_cases
import vectors_pools

CONF = cfg.CONF
COUNTS = {"decide": 500, "sequence": 100, "match": 1000, "evaluate": 2000}
# Cases of one evaluate file share its variables.
EVALUATE_CHUNK = 250
TIME_LIMIT = 2.0  # seconds of CPU for one result


class TooSlow(BaseException):
    """Cinder has not decided within TIME_LIMIT."""


def alarm(signum, frame):
    raise TooSlow()


def with_time_limit(function, *args, **kwargs):
    signal.setitimer(signal.ITIMER_PROF, TIME_LIMIT)
    try:
        return function(*args, **kwargs)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class Service(dict):
    """A row of the services table."""

    is_up = True

    def __init__(self, backend):
        super().__init__(host=backend["host"],
                         cluster_name=backend["cluster_name"],
                         availability_zone=backend["availability_zone"])
        self.host = backend["host"]
        self.cluster_name = backend["cluster_name"]

    @property
    def service_topic_queue(self):
        return self.cluster_name or self.host


class Nova:
    """Nova's API: a server with its host, or without it where that is None."""

    def __init__(self, host):
        self.host = host

    def get_server(self, context, server_id, **kwargs):
        server = types.SimpleNamespace(id=server_id)
        if self.host is not None:
            setattr(server, "OS-EXT-SRV-ATTR:host", self.host)
        return server


class Services:
    def __init__(self, backends):
        self.objects = [Service(b) for b in backends]


class Recorder(host_manager.HostManager):
    """A HostManager that records which backends passed each filter."""

    def get_filtered_backends(self, backends, filter_properties, names=None):
        self.passed = []
        for cls in self.enabled_filters:
            backends = super().get_filtered_backends(
                backends, filter_properties, [cls.__name__])
            self.passed.append([cls.__name__,
                                   [b.backend_id for b in backends]])
        return backends


class Scheduler(filter_scheduler.FilterScheduler):
    """A FilterScheduler without a message bus."""

    def __init__(self, backends):
        objects.ServiceList.get_all = (
            lambda *args, **kwargs: Services(backends))
        self.options = scheduler_options.SchedulerOptions()
        self.max_attempts = CONF.scheduler_max_attempts
        self.host_manager = Recorder()
        self.context = context.get_admin_context()
        reported = (datetime.datetime.now(datetime.timezone.utc)
                    .replace(tzinfo=None) - datetime.timedelta(minutes=1))
        for backend in backends:
            self.host_manager.update_service_capabilities(
                "volume", backend["host"],
                json.loads(json.dumps(backend["capabilities"])),
                backend["cluster_name"], reported)

    def arguments(self, request):
        """The request as the API passes it: spec and filter properties."""
        request = json.loads(json.dumps(request))
        properties = dict(request["volume_properties"],
                          qos_specs=request["qos_specs"])
        spec = {"volume_id": "1", "volume_properties": properties,
                "volume_type": request["volume_type"],
                "resource_properties": {}}
        if "availability_zones" in request:
            spec["availability_zones"] = request["availability_zones"]
        if "availability_zone" in request:
            spec["resource_properties"]["availability_zone"] = (
                request["availability_zone"])
        properties_of_filter = {}
        if "new_size" in request:
            spec["operation"] = "extend_volume"
            properties_of_filter["new_size"] = request["new_size"]
        if "vol_exists_on" in request:
            properties_of_filter["vol_exists_on"] = request["vol_exists_on"]
        if "retry_backends" in request:
            tried = request["retry_backends"]
            properties_of_filter["retry"] = {"num_attempts": 1, "backends": tried,
                              "hosts": list(tried)}
        hints = {k: request[k] for k in ("query", "local_to_instance")
                 if k in request}
        if hints:
            properties_of_filter["scheduler_hints"] = hints
        nova.API = lambda: Nova(request.get("instance_host"))
        return spec, properties_of_filter

    def decide(self, request):
        weighed = self._get_weighted_candidates(self.context,
                                                *self.arguments(request))
        return {"survivors": self.host_manager.passed,
                "weighed": [[w.obj.backend_id, w.weight] for w in weighed]}

    def choose(self, request):
        chosen = self._schedule(self.context, *self.arguments(request))
        return chosen.obj.backend_id if chosen else None


def configure(options):
    for name, value in options.items():
        CONF.set_override(name, value)


def decide(rng, valid):
    drawn = vectors_pools.Case(rng, valid)
    backends = drawn.backends(rng.choice([1, 2, 3, 3, 4, 6, 9]))
    case = {"options": drawn.options(), "backends": backends,
            "request": drawn.request(backends)}
    configure(case["options"])
    try:
        case["expect"] = with_time_limit(
            lambda: Scheduler(backends).decide(case["request"]))
    except Exception as e:
        case["expect"] = {"error": type(e).__name__}
    return case


def sequence(rng):
    drawn = vectors_pools.Case(rng, valid=True)
    backends = drawn.backends(rng.choice([2, 3, 4, 6]))
    options = drawn.options()
    requests = [drawn.simple_request() for _ in range(rng.randrange(4, 30))]

    configure(options)

    def chosen():
        scheduler = Scheduler(backends)
        return [scheduler.choose(r) for r in requests]

    try:
        expect = {"chosen": with_time_limit(chosen)}
    except Exception as e:
        expect = {"error": type(e).__name__}
    return {"options": options, "backends": backends, "requests": requests,
            "expect": expect}


def match(case):
    try:
        expect = extra_specs_ops.match(case["value"], case["requirement"])
    except Exception as e:
        expect = "error:" + type(e).__name__
    return dict(case, expect=expect)


def evaluate(expression, variables):
    try:
        expect = {"value": with_time_limit(evaluator.evaluate, expression,
                                     **variables)}
    except Exception as e:
        expect = {"error": type(e).__name__}
    return {"expression": expression, "expect": expect}


def writable(case):
    """Whether JSON can hold the case: it has no infinity and no complex."""
    try:
        json.dumps(case, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def draw(count, make):
    """Collects that many different cases, without those that JSON cannot hold."""
    seen, cases = set(), []
    for _ in range(count * 50):
        if len(cases) == count:
            break
        try:
            case = make()
        except TooSlow:
            continue
        if not writable(case) or json.dumps(case) in seen:
            continue
        seen.add(json.dumps(case))
        cases.append(case)
    return cases


def decide_files(rng, count):
    cases = draw(count, lambda: decide(rng, valid=rng.random() < 0.5))
    yield "decide", {"kind": "decide", "cases": cases}


def sequence_files(rng, count):
    yield "sequence", {"kind": "sequence",
                       "cases": draw(count, lambda: sequence(rng))}


def match_files(rng, count):
    picked = [{"value": v, "requirement": r} for v in vectors_cases.VALUES
              for r in vectors_cases.REQUIREMENTS]
    rng.shuffle(picked)
    half = iter(picked[:count // 2])
    cases = draw(count, lambda: match(next(half, None) or
                                      vectors_cases.match_case(rng)))
    yield "match", {"kind": "match", "cases": cases}


def evaluate_files(rng, count):
    picked = iter(vectors_cases.EXPRESSIONS)
    for number, start in enumerate(range(0, count, EVALUATE_CHUNK)):
        variables = vectors_cases.variables(rng)
        cases = draw(min(EVALUATE_CHUNK, count - start),
                     lambda: evaluate(next(picked, None) or
                                      vectors_cases.expression(rng),
                                      variables))
        yield "evaluate-%02d" % number, {
            "kind": "evaluate", "vars": variables, "cases": cases}


FILES = {"decide": decide_files, "sequence": sequence_files,
         "match": match_files, "evaluate": evaluate_files}


def write(folder, name, content, compress):
    made_with = "cinder %s, pyparsing %s" % (version.version_string(),
                                             pyparsing.__version__)
    cases = ",\n".join(json.dumps(c, ensure_ascii=False, allow_nan=False)
                       for c in content.pop("cases"))
    head = json.dumps(dict(content, made_with=made_with), ensure_ascii=False)
    text = '%s, "cases": [\n%s\n]}\n' % (head[:-1], cases)
    path = os.path.join(folder, name + ".json" + (".gz" if compress else ""))
    with open(path, "wb") as f:
        if compress:
            # Without name and time, the same cases give the same file.
            with gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
                z.write(text.encode())
        else:
            f.write(text.encode())
    return path


def usable_evaluator():
    """pyparsing 3.3.3 parses by an algorithm that takes every name for a
    function, so that Cinder's evaluator refuses all variables."""
    try:
        return evaluator.evaluate("a.b > 1", a={"b": 2}) is True
    except Exception:
        return False


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog="counts: %s" % ",".join("%s=%d" % c for c in COUNTS.items()))
    parser.add_argument("--seed", default="1", help="of the requests")
    parser.add_argument("--counts", default="",
                        help="how many of each kind, as kind=n,kind=n; kinds "
                             "not named have their usual count")
    parser.add_argument("--out", required=True, help="folder for the files")
    parser.add_argument("--gzip", action="store_true", help="compress them")
    args = parser.parse_args()
    counts = dict(COUNTS)
    for part in filter(None, args.counts.split(",")):
        kind, _, n = part.partition("=")
        if kind not in counts or not n.isdigit():
            parser.error("--counts: %r is not one of %s, with a number"
                         % (part, ", ".join(COUNTS)))
        counts[kind] = int(n)
    return args, counts


def main():
    args, counts = arguments()
    if not usable_evaluator():
        sys.exit("pyparsing %s does not work with Cinder's evaluator: every "
                 "variable is a syntax error. Install 'pyparsing<3.3.3'."
                 % pyparsing.__version__)
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGPROF, alarm)
    CONF([], project="cinder", default_config_files=[],
         default_config_dirs=[])
    os.makedirs(args.out, exist_ok=True)
    for kind, count in counts.items():
        rng = random.Random("%s/%s" % (args.seed, kind))
        for name, content in FILES[kind](rng, count):
            n = len(content["cases"])
            print("%s: %d cases" % (write(args.out, name, content, args.gzip),
                                    n))


if __name__ == "__main__":
    main()
