"""Calls a cinder-scheduler as the other services of Cinder do.

Called as: console.py CONFIG PORT. Makes the database, then serves HTTP on
127.0.0.1:PORT, one request at a time. An error is a 500 with the reason as
text.

  GET  /pools     get_pools of the scheduler
  POST /report    sends a report as cinder-volume does
  POST /service   adds a row to the table services
  POST /state     changes the row of a service
  POST /settings  sets options of cinder-api, which the scheduler does not read
  POST /volume    creates a volume as cinder-api does; returns its host, or
                  the exception with which cinder-api refuses it

A transaction that SQLite refuses is run again: the scheduler deletes expired
messages and reservations just after its start, and SQLite refuses at once the
second of two transactions that have read and then write.
"""

import http.server
import json
import random
import sys
import time

from cinder import context
from cinder import db
from cinder import exception
from cinder import objects
from cinder import rpc
from cinder.common import config
from cinder.db import migration
from cinder.objects import base
from cinder.scheduler import rpcapi
from cinder.volume import rpcapi as volume_rpcapi
from cinder.volume import volume_types
from oslo_utils import timeutils

# How long a transaction is run again, in seconds.
LOCK_BOUND = 30

# Who creates volumes: ids as Keystone makes them, which scheduler.go has too.
USER = '5e1f00d0000000000000000000000005'
PROJECT = '0123456789abcdef0123456789abcdef'


class Console:
    def __init__(self):
        self.context = context.get_admin_context()
        self.user = context.RequestContext(USER, PROJECT, is_admin=True)
        self.scheduler = rpcapi.SchedulerAPI()
        self.types = {}

    def pools(self, _):
        return self.scheduler.get_pools(self.context, {})

    def report(self, fields):
        timestamp = fields.get('timestamp')
        self.scheduler.update_service_capabilities(
            self.context, 'volume', fields['host'], fields['capabilities'],
            fields.get('cluster'),
            timeutils.parse_strtime(timestamp) if timestamp else None)

    def service(self, fields):
        objects.Service(
            self.context, host=fields['host'], binary='cinder-volume',
            topic='cinder-volume', availability_zone=fields['zone'],
            cluster_name=fields.get('cluster'), report_count=1,
            rpc_current_version=volume_rpcapi.VolumeAPI.RPC_API_VERSION,
            object_current_version=base.OBJ_VERSIONS.get_current()).create()

    def state(self, fields):
        service = objects.Service.get_by_args(
            self.context, fields['host'], 'cinder-volume')
        # A service is up if this time is less than service_down_time ago.
        year = 1980 if fields['down'] else timeutils.utcnow().year
        values = {'disabled': fields['disabled'], 'frozen': fields['frozen'],
                  'updated_at': timeutils.utcnow().replace(year=year, day=1)}
        if fields['zone']:
            values['availability_zone'] = fields['zone']
        db.service_update(self.context, service.id, values)

    def settings(self, fields):
        for name, value in fields.items():
            config.CONF.set_override(name, value)

    def volume(self, fields):
        from cinder.volume import api  # after register_all

        kind = self.type_with(fields['extra_specs'], fields['type'])
        try:
            volume = api.API().create(
                self.user, fields['size'], None, None, volume_type=kind,
                availability_zone=fields['zone'])
        except exception.Invalid as error:
            return {'refusal': type(error).__name__}
        deadline = time.monotonic() + 60
        while not volume.host and volume.status == 'creating':
            if time.monotonic() > deadline:
                raise TimeoutError('no scheduler has placed volume %s' % volume.id)
            time.sleep(0.02)
            volume.refresh()
        return {'host': volume.host, 'status': volume.status}

    def type_with(self, extra_specs, name):
        key = name + json.dumps(extra_specs, sort_keys=True)
        if key not in self.types:
            kind = volume_types.create(
                self.context, name or 'type%d' % time.time_ns(),
                extra_specs)
            self.types[key] = objects.VolumeType.get_by_id(
                self.context, kind.id)
        return self.types[key]


class Handler(http.server.BaseHTTPRequestHandler):
    console = None

    def do_GET(self):
        self.respond(None)

    def do_POST(self):
        self.respond(json.loads(self.rfile.read(int(self.headers['Content-Length']))))

    def log_message(self, *_):
        pass

    def respond(self, fields):
        try:
            call = getattr(self.console, self.path.strip('/'))
            code, text = 200, json.dumps(unlocked(call, fields))
        except Exception as error:
            code, text = 500, '%s: %s' % (type(error).__name__, error)
        body = text.encode()
        self.send_response(code)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def unlocked(call, fields):
    deadline = time.monotonic() + LOCK_BOUND
    while True:
        try:
            return call(fields)
        except Exception as error:
            if 'database is locked' not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0.02, 0.1))


def main(config_file, port):
    objects.register_all()
    config.CONF(['--config-file', config_file], project='cinder')
    migration.db_sync()
    rpc.init(config.CONF)
    Handler.console = Console()
    http.server.HTTPServer(('127.0.0.1', int(port)), Handler).serve_forever()


main(*sys.argv[1:])
