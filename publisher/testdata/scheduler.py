"""Cinder's own accounting of capability reports and placements.

Holds HostManager, BackendState, PoolState, CapacityFilter and the weighers of
the installed Cinder, without a message bus and without a database. Reads one
JSON object a line from standard input; "op" names a method of Scheduler, and
"now" is the time at which Cinder's code runs it, in microseconds since 1970.
Operations that return something answer with one line of JSON. An error is
answered with {"error": TEXT} and ends the program.
"""

import datetime
import json
import sys
import traceback
import types

from cinder import context
from cinder import objects
from oslo_config import cfg
from oslo_utils import timeutils

objects.register_all()  # the next import reads what this defines

from cinder.scheduler import host_manager  # noqa: E402

EPOCH = datetime.datetime(1970, 1, 1)

# What Cinder writes into a stored report by itself.
FILLED_IN = frozenset(
    ('timestamp', 'storage_protocol', 'vendor_name', 'driver_version'))


class Service(dict):
    """One row of the table services, as far as the scheduler reads it."""

    is_up = True

    def __init__(self, host, cluster):
        super().__init__(host=host, cluster_name=cluster)
        self.host = host
        self.cluster_name = cluster
        self.service_topic_queue = cluster or host


class Scheduler:
    def __init__(self):
        self.services = types.SimpleNamespace(objects=[])
        host_manager.objects = types.SimpleNamespace(
            ServiceList=types.SimpleNamespace(
                get_all=lambda *_: self.services))
        self.context = context.get_admin_context()
        self.manager = host_manager.HostManager()
        self.weighers = []

    def new(self, backends, weigher):
        """Start a scheduler that has received nothing."""
        self.services.objects = [
            Service(b['host'], b['cluster']) for b in backends]
        self.weighers = [weigher]
        self.manager.service_states = {}
        self.manager.service_states_last_update = {}
        self.manager.backend_state_map = {}
        self.manager._no_capabilities_backends = set()

    def report(self, body):
        """Take a message as it was on the bus (scheduler/manager.py)."""
        args = json.loads(json.loads(body)['oslo.message'])['args']
        timestamp = args['timestamp']
        if timestamp:
            timestamp = datetime.datetime.strptime(
                timestamp, timeutils.PERFECT_TIME_FORMAT)
        self.manager.update_service_capabilities(
            args['service_name'], args['host'], args['capabilities'],
            args['cluster_name'], timestamp)

    def create(self, size):
        """Schedule a volume (scheduler/filter_scheduler.py)."""
        properties = {'size': size, 'volume_type': {}}
        backends = self.manager.get_filtered_backends(
            self.manager.get_all_backend_states(self.context), properties,
            ['CapacityFilter'])
        if not backends:
            return None
        chosen = self.manager.get_weighed_backends(
            backends, properties, self.weighers)[0].obj
        chosen.consume_from_volume({'size': size})
        return chosen.backend_id

    def place(self, backend, size):
        """Schedule a volume that only one backend can take."""
        self._pools()[backend].consume_from_volume({'size': size})

    def state(self):
        """Return what the next request reads, and get_pools shows."""
        shown = {
            p['name'].split('#')[0]: p['capabilities']
            for p in self.manager.get_pools(self.context)}
        return {
            backend: {
                'capabilities': {
                    k: v for k, v in pool.capabilities.items()
                    if k not in FILLED_IN},
                'shown': {
                    k: v for k, v in shown[backend].items()
                    if k not in FILLED_IN},
                'free': pool.free_capacity_gb,
                'allocated': pool.allocated_capacity_gb,
                'provisioned': pool.provisioned_capacity_gb,
            }
            for backend, pool in self._pools().items()}

    def _pools(self):
        return {p.backend_id.split('#')[0]: p
                for p in self.manager.get_all_backend_states(self.context)}


def silence():
    """Drop debug lines: looking up the level takes a sixth of the time."""
    for name, module in list(sys.modules.items()):
        if name == 'cinder.utils' or name.startswith('cinder.scheduler.'):
            if hasattr(module, 'LOG'):
                module.LOG.debug = lambda *_, **__: None


def main():
    cfg.CONF([], project='cinder', default_config_files=[])
    scheduler = Scheduler()
    silence()
    for line in sys.stdin:
        request = json.loads(line)
        operation = getattr(scheduler, request.pop('op'))
        timeutils.set_time_override(
            EPOCH + datetime.timedelta(microseconds=request.pop('now')))
        try:
            answer = operation(**request)
        except Exception:
            print(json.dumps({'error': traceback.format_exc()}), flush=True)
            return
        if operation.__name__ in ('create', 'state'):
            print(json.dumps(answer), flush=True)


main()
