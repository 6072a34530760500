#!/usr/bin/env python3
"""Write the messages that an installed Cinder sends to its schedulers.

    cinder_messages.py FOLDER

Cinder's own SchedulerAPI builds them, oslo.messaging's own serializer encodes
them, and they are written to files instead of a broker:

    cinder-update.json    update_service_capabilities, as cinder-volume sends it
    cinder-notify.json    notify_service_capabilities
    cinder-infinity.json  an update with a number that JSON does not have

The tests of package publisher read these files from publisher/testdata. They
were made with Cinder 29.0.0; IDs and times differ each time.
"""

import json
import pathlib
import sys

from cinder import context
from cinder import objects
from cinder import rpc
from cinder.common import config  # noqa: F401, registers the options
from cinder.scheduler import rpcapi
from oslo_config import cfg
from oslo_messaging._drivers import amqp
from oslo_messaging._drivers import common
from oslo_messaging.rpc import client
import oslo_messaging

CAPABILITIES = {
    "volume_backend_name": "pure_gold",
    "total_capacity_gb": 102400.0,
    "free_capacity_gb": 51200.125,
    "allocated_capacity_gb": 17,
    "total_volumes": 42,
    "usec_per_read_op": 0,
    "cacheable": True,
    "replication_targets": [],
    "replication_capability": None,
    "filter_function": "capabilities.total_volumes < 800",
    "label": "\u00e9<\u2028",
}


class FileTransport:
    """A transport that writes each message to a file."""

    conf = cfg.CONF

    def __init__(self, folder):
        self.folder = folder
        self.name = None

    def _require_driver_features(self, **features):
        pass

    def _send(self, target, ctxt, message, **options):
        amqp._add_unique_id(message)
        amqp.pack_context(message, ctxt)
        text = json.dumps(common.serialize_msg(message))
        (self.folder / self.name).write_text(text + "\n")


def api(transport):
    rpc.TRANSPORT = transport
    rpc.LAST_RPC_VERSIONS["cinder-scheduler"] = "3.12"
    rpc.LAST_OBJ_VERSIONS["cinder-scheduler"] = "1.39"
    oslo_messaging.get_rpc_client = lambda transport, target, **kw: client.RPCClient(
        transport, target, _manual_load=False, **kw)
    return rpcapi.SchedulerAPI()


def main(folder):
    cfg.CONF([], project="cinder", default_config_files=[])
    objects.register_all()
    transport = FileTransport(folder)
    scheduler, admin = api(transport), context.get_admin_context()
    transport.name = "cinder-update.json"
    scheduler.update_service_capabilities(admin, "volume", "ctl1@fa1", CAPABILITIES, None)
    transport.name = "cinder-notify.json"
    scheduler.notify_service_capabilities(admin, "volume", "ctl1@fa1", CAPABILITIES)
    transport.name = "cinder-infinity.json"
    scheduler.update_service_capabilities(
        admin, "volume", "ctl1@fa1", {"total_capacity_gb": float("inf")}, None)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
