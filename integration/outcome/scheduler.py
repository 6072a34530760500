"""Cinder's scheduler in virtual time, for the comparison of outcomes.

Standard input has one JSON list a line. The first element is what to do:

    ["start", {option: value}, {extra spec: value}]
    ["choose", time, gigabytes, [[host, capabilities, time], ...]]

Times are microseconds since 1970, by the clock of the comparison. The reports of a
request are applied before it. The answer to each is one JSON value: null for start,
and for choose ["host", host] or ["refused", filter that refused the last backend].

The decisions are those of Cinder's own classes: HostManager, BackendState, PoolState,
FilterScheduler, filters and weighers. Replaced are the list of services, which is in a
database, and the clock. What is slow is done once: parsing of functions, and copying
of the context.
"""

import datetime
import json
import logging
import sys
import types
import warnings

warnings.simplefilter("ignore")
sys.dont_write_bytecode = True  # the folder may be read-only

from cinder import context
from cinder import objects
from oslo_config import cfg
from oslo_utils import timeutils

objects.register_all()  # needed by the imports below

from cinder.scheduler.evaluator import evaluator
from cinder.scheduler import filter_scheduler
from cinder.scheduler import host_manager
from cinder.scheduler import scheduler_options
from cinder.scheduler.weights import capacity as _  # for its options

CONF = cfg.CONF
EPOCH = datetime.datetime(1970, 1, 1)


def instant(micros):
    return EPOCH + datetime.timedelta(microseconds=micros)


class Service(dict):
    """A row of the services table."""

    is_up = True

    def __init__(self, host):
        super().__init__(host=host, cluster_name=None, availability_zone="nova")
        self.host = host
        self.cluster_name = None
        self.service_topic_queue = host


class HostManager(host_manager.HostManager):
    """A HostManager that records which filter refused the last backend."""

    def get_filtered_backends(self, backends, filter_properties, names=None):
        passed = list(backends)
        self.refused = "no backend has reported"
        for cls in self.enabled_filters:
            if not passed:
                return passed
            passed = super().get_filtered_backends(
                passed, filter_properties, [cls.__name__])
            self.refused = cls.__name__
        return passed


class Parser:
    """Cinder's parser of functions, which parses each text once: most of the time of
    an evaluation is parsing, and its result does not depend on the variables."""

    def __init__(self):
        self.parser = evaluator._def_parser()
        self.parsed = {}

    def parse_string(self, text, **options):
        if text not in self.parsed:
            self.parsed[text] = self.parser.parse_string(text, **options)
        return self.parsed[text]

    parseString = parse_string  # as Cinder 21 calls it


class Scheduler(filter_scheduler.FilterScheduler):
    """A FilterScheduler without a message bus."""

    def __init__(self, extra_specs):
        self.services = []
        objects.ServiceList.get_all = lambda *args, **kwargs: (
            types.SimpleNamespace(objects=self.services))
        self.options = scheduler_options.SchedulerOptions()
        self.max_attempts = CONF.scheduler_max_attempts
        self.host_manager = HostManager()
        self.context = context.get_admin_context()
        self.context.elevated = lambda: self.context  # it is one, no copy is needed
        self.extra_specs = extra_specs

    def report(self, host, capabilities, time):
        if all(s.host != host for s in self.services):
            self.services.append(Service(host))
        self.host_manager.update_service_capabilities(
            "volume", host, capabilities, None, instant(time))

    def choose(self, size):
        volume_type = {"id": "1", "name": "pool", "extra_specs": self.extra_specs}
        spec = {"volume_id": "1", "volume_type": volume_type,
                "volume_properties": {"size": size},
                "resource_properties": {}}
        chosen = self._schedule(self.context, spec, {})
        if chosen is None:
            return ["refused", self.host_manager.refused]
        return ["host", chosen.obj.backend_id.split("#")[0]]


def start(options, extra_specs):
    for name, value in options.items():
        CONF.set_override(name, value)
    return Scheduler(extra_specs)


def usable_evaluator():
    """With pyparsing 3.3.3 Cinder's evaluator refuses all variables."""
    try:
        return evaluator.evaluate("a.b > 1", a={"b": 2}) is True
    except Exception:
        return False


def main():
    if not usable_evaluator():
        sys.exit("this pyparsing does not work with Cinder's evaluator: every "
                 "variable is a syntax error. Install 'pyparsing<3.3.3'.")
    logging.disable(logging.CRITICAL)
    CONF([], project="cinder", default_config_files=[], default_config_dirs=[])
    evaluator._parser = Parser()
    scheduler = None
    for line in sys.stdin:
        action, *arguments = json.loads(line)
        answer = None
        if action == "start":
            scheduler = start(*arguments)
        else:
            time, size, reports = arguments
            timeutils.set_time_override(instant(time))
            for report in reports:
                scheduler.report(*report)
            answer = scheduler.choose(size)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
