"""Talks to a cinder-scheduler as the other services of Cinder do.

Called as: console.py CONFIG PORT. Makes the database, then answers on
127.0.0.1:PORT. One request at a time; whatever goes wrong is a 500 with the
reason as text.

  GET  /pools     what get_pools of the scheduler says
  POST /report    casts a report as cinder-volume does
  POST /service   adds a row to the table services
  POST /volume    creates a volume as cinder-api does and says who got it
"""

import http.server
import json
import sys
import time

from cinder import context
from cinder import objects
from cinder import rpc
from cinder.common import config
from cinder.db import migration
from cinder.objects import base
from cinder.scheduler import rpcapi
from cinder.volume import rpcapi as volume_rpcapi
from cinder.volume import volume_types
from oslo_utils import timeutils


class Console:
    def __init__(self):
        self.context = context.get_admin_context()
        self.user = context.RequestContext('user', 'project', is_admin=True)
        self.scheduler = rpcapi.SchedulerAPI()
        self.types = {}

    def pools(self, _):
        return self.scheduler.get_pools(self.context, {})

    def report(self, said):
        moment = said.get('timestamp')
        self.scheduler.update_service_capabilities(
            self.context, 'volume', said['host'], said['capabilities'],
            said.get('cluster'),
            timeutils.parse_strtime(moment) if moment else None)

    def service(self, said):
        objects.Service(
            self.context, host=said['host'], binary='cinder-volume',
            topic='cinder-volume', availability_zone=said['zone'],
            cluster_name=said.get('cluster'), report_count=1,
            rpc_current_version=volume_rpcapi.VolumeAPI.RPC_API_VERSION,
            object_current_version=base.OBJ_VERSIONS.get_current()).create()

    def volume(self, said):
        from cinder.volume import api  # wants what register_all adds

        volume = api.API().create(
            self.user, said['size'], None, None,
            volume_type=self.type_with(said['extra_specs']),
            availability_zone=said['zone'])
        deadline = time.monotonic() + 20
        while not volume.host and volume.status == 'creating':
            if time.monotonic() > deadline:
                raise TimeoutError('no scheduler took volume %s' % volume.id)
            time.sleep(0.02)
            volume.refresh()
        return {'host': volume.host, 'status': volume.status}

    def type_with(self, extra_specs):
        key = json.dumps(extra_specs, sort_keys=True)
        if key not in self.types:
            kind = volume_types.create(
                self.context, 'type%d' % time.time_ns(), extra_specs)
            self.types[key] = objects.VolumeType.get_by_id(
                self.context, kind.id)
        return self.types[key]


class Handler(http.server.BaseHTTPRequestHandler):
    console = None

    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(json.loads(self.rfile.read(int(self.headers['Content-Length']))))

    def log_message(self, *_):
        pass

    def answer(self, said):
        try:
            result = getattr(self.console, self.path.strip('/'))(said)
            code, text = 200, json.dumps(result)
        except Exception as reason:
            code, text = 500, '%s: %s' % (type(reason).__name__, reason)
        body = text.encode()
        self.send_response(code)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(config_file, port):
    objects.register_all()
    config.CONF(['--config-file', config_file], project='cinder')
    migration.db_sync()
    rpc.init(config.CONF)
    Handler.console = Console()
    http.server.HTTPServer(('127.0.0.1', int(port)), Handler).serve_forever()


main(*sys.argv[1:])
