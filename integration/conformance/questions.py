#!/usr/bin/env python3
"""Puts random requests to Cinder's own API and scheduler, and writes what they do.

The API classes of cinder-api and the manager and FilterScheduler of
cinder-scheduler run in this process on an sqlite database: what the API sends to
the scheduler is serialised as on the message bus. Only the bus itself, policies and
quotas are replaced. Each line of the file is a JSON object: the cinder.conf, the
reports and the flags for poolcast place, and the result.

    python3 questions.py --seed 7 --count 1000 --out cases.json
"""

import argparse
import datetime
import json
import logging
import os
import random
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
sys.dont_write_bytecode = True

from cinder import context
from cinder import objects
from cinder import version
from oslo_config import cfg

objects.register_all()  # needed by the imports below

from cinder import exception
from cinder import policy
from cinder import quota
from cinder import rpc
from cinder.db import api as db
from cinder.db import migration
from cinder.objects import base as objects_base
from cinder.scheduler import driver as scheduler_driver
from cinder.scheduler import filter_scheduler
from cinder.scheduler import host_manager
from cinder.scheduler import manager as scheduler_manager
from cinder.scheduler import rpcapi as scheduler_rpcapi
from cinder.scheduler import scheduler_options
from cinder.scheduler.weights import capacity as _  # for its options
from cinder.volume import api as volume_api
from cinder.volume import qos_specs
from cinder.volume import rpcapi as volume_rpcapi
from cinder.volume import volume_types

import questions_worlds

CONF = cfg.CONF
PROJECT = "5" * 32


class Bus:
    """Keeps what the API sends to the scheduler, as it would arrive there."""

    serializer = objects_base.CinderObjectSerializer()

    def __init__(self):
        self.sent = []

    def can_send_version(self, wanted):
        return True

    def cast(self, ctxt, method, **arguments):
        wire = json.loads(json.dumps(
            {k: self.serializer.serialize_entity(ctxt, v)
             for k, v in arguments.items()}, default=str))
        self.sent.append((method, {
            k: self.serializer.deserialize_entity(ctxt, v)
            for k, v in wire.items()}))


class Chosen:
    """In place of the rpcapi of cinder-volume: keeps the backend that is used."""

    backend = None

    def __getattr__(self, method):
        def call(*args, **kwargs):
            for arg in args:
                if isinstance(arg, host_manager.BackendState):
                    Chosen.backend = arg.backend_id
                elif isinstance(arg, objects.Volume) and Chosen.backend is None:
                    Chosen.backend = arg.resource_backend
        return call


class Scheduler(filter_scheduler.FilterScheduler):
    """A FilterScheduler without a message bus."""

    def __init__(self, backends):
        self.options = scheduler_options.SchedulerOptions()
        self.max_attempts = CONF.scheduler_max_attempts
        self.host_manager = host_manager.HostManager()
        self.volume_rpcapi = Chosen()
        reported = (datetime.datetime.now(datetime.timezone.utc)
                    .replace(tzinfo=None) - datetime.timedelta(minutes=1))
        for backend in backends:
            self.host_manager.update_service_capabilities(
                "volume", backend["host"],
                json.loads(json.dumps(backend["capabilities"])),
                backend["cluster"], reported)

    def _get_weighted_candidates(self, *args, **kwargs):
        weighed = super()._get_weighted_candidates(*args, **kwargs)
        self.fit = [w.obj.backend_id for w in weighed]
        return weighed


def no_notifier(*args, **kwargs):
    class Notifier:
        def error(self, *args, **kwargs):
            pass
        info = error
    return Notifier()


def unlimited(*args, **kwargs):
    return ["00000000-0000-0000-0000-000000000001"]


def replace_surroundings(bus):
    """Replaces the bus, policies and quotas."""
    scheduler_rpcapi.SchedulerAPI._get_cctxt = (
        lambda self, *args, **kwargs: bus)
    rpc.get_notifier = no_notifier
    rpc.get_client = lambda *args, **kwargs: None
    scheduler_rpcapi.SchedulerAPI.__init__ = (
        lambda self: setattr(self, "client", bus))
    volume_rpcapi.VolumeAPI = Chosen
    volume_api.volume_rpcapi.VolumeAPI = Chosen
    context.RequestContext.authorize = lambda *args, **kwargs: True
    policy.authorize = lambda *args, **kwargs: True
    quota.QuotaEngine.reserve = unlimited
    quota.QuotaEngine.limit_check = lambda *args, **kwargs: None
    for name in ("commit", "rollback", "add_volume_type_opts"):
        setattr(quota.QuotaEngine, name, lambda *args, **kwargs: None)
    objects.Volume.create_worker = lambda *args, **kwargs: None
    scheduler_driver.volume_update_db = update_volume


def update_volume(ctxt, volume_id, host, cluster_name, **kwargs):
    Chosen.backend = cluster_name or host
    return None


class World:
    """Services, types and volumes in the database, as drawn."""

    def __init__(self, drawn, bus):
        self.drawn, self.bus = drawn, bus
        self.context = context.RequestContext("user", PROJECT, is_admin=True)
        for name, value in drawn["options"].items():
            CONF.set_override(name, value)
        self.made = []
        for b in drawn["backends"]:
            self.service(b)
        self.types = {t["name"]: self.volume_type(t) for t in drawn["types"]}
        self.api = volume_api.API(image_service=object())

    def service(self, b):
        service = objects.Service(
            self.context, host=b["host"], binary="cinder-volume",
            topic="cinder-volume", report_count=1, disabled=False,
            availability_zone=b["availability_zone"],
            cluster_name=b["cluster"])
        service.create()
        self.made.append(service)

    def volume_type(self, t):
        made = volume_types.create(self.context, t["name"], t["extra_specs"])
        if t["qos"]:
            specs = qos_specs.create(
                self.context, t["name"], dict(t["qos"], consumer=t["consumer"]))
            qos_specs.associate_qos_with_type(
                self.context, specs["id"], made["id"])
        return objects.VolumeType.get_by_name_or_id(self.context, t["name"])

    def volume(self, v):
        """A volume that exists on a backend."""
        b = self.drawn["backends"][v["backend"]]
        t = self.types.get(v["type"]) or volume_types.get_default_volume_type()
        extra = t.get("extra_specs") or {}
        host = "%s#%s" % (b["host"], b["pool"])
        volume = objects.Volume(
            self.context, size=v["size"], host=host,
            cluster_name=b["cluster"] and "%s#%s" % (b["cluster"], b["pool"]),
            status="in-use" if v["in_use"] else "available",
            attach_status="attached" if v["in_use"] else "detached",
            availability_zone=b["availability_zone"],
            volume_type_id=t["id"], user_id="user", project_id=PROJECT,
            multiattach=extra.get("multiattach") == "<is> True",
            bootable=False, display_name=None, metadata={})
        volume.create()
        return objects.Volume.get_by_id(self.context, volume.id)

    def snapshot(self, volume):
        snapshot = objects.Snapshot(
            self.context, volume_id=volume.id, volume_size=volume.size,
            status="available", display_name=None, user_id="user",
            volume_type_id=volume.volume_type_id, project_id=PROJECT)
        snapshot.create()
        return objects.Snapshot.get_by_id(self.context, snapshot.id)

    def ask(self, q):
        """What the API and the scheduler do with one request."""
        self.bus.sent, Chosen.backend = [], None
        self.api.availability_zones_last_fetched = None
        scheduler = Scheduler(self.drawn["backends"])
        scheduler.fit = None
        try:
            getattr(self, q["kind"])(q)
        except exception.CinderException as e:
            return {"refused": type(e).__name__}
        except ValueError as e:
            return {"refused": "ValueError"}
        try:
            self.schedule(scheduler, *self.bus.sent[0])
        except exception.NoValidBackend:
            pass
        except Exception as e:
            return {"error": "%s: %s" % (type(e).__name__, e)}
        return {"chosen": Chosen.backend, "fit": scheduler.fit}

    def create(self, q):
        source = q["source"] and self.volume(q["source"])
        snapshot = None
        if source and q["source"]["snapshot"]:
            snapshot, source = self.snapshot(source), None
        hints = {}
        for name, value in q["hints"]:
            if name == "query":
                hints[name] = value
                continue
            b = {"backend": value, "size": 1, "type": None, "in_use": False}
            hints.setdefault(name, []).append(self.volume(b).id)
        self.api.create(
            self.context, q["size"], None, None, snapshot=snapshot,
            volume_type=self.types.get(q["type"]), metadata=None,
            availability_zone=q["zone"], source_volume=source,
            scheduler_hints=hints or None)

    def extend(self, q):
        volume = self.volume(q["volume"])
        act = (self.api.extend_attached_volume if q["volume"]["in_use"]
               else self.api.extend)
        act(self.context, volume, q["size"])

    def migrate(self, q):
        to = self.drawn["backends"][q["to"]]
        self.api.migrate_volume(
            self.context, self.volume(q["volume"]),
            None if to["cluster"] else "%s#%s" % (to["host"], to["pool"]),
            to["cluster"] and "%s#%s" % (to["cluster"], to["pool"]),
            False, False)

    def retype(self, q):
        self.api.retype(self.context, self.volume(q["volume"]),
                        self.types[q["type"]].name, q["policy"])

    def schedule(self, scheduler, method, arguments):
        if method == "create_volume":
            spec = arguments["request_spec"]
            spec["operation"] = method
            scheduler.schedule_create_volume(
                self.context, spec, arguments["filter_properties"])
            return
        manager = scheduler_manager.SchedulerManager.__new__(
            scheduler_manager.SchedulerManager)
        manager.driver, manager._startup_delay = scheduler, False
        manager.message_api = Chosen()
        Chosen.backend = None
        getattr(manager, method)(self.context, **arguments)

    def close(self):
        for service in self.made:
            service.destroy()
        for name in self.drawn["options"]:
            CONF.clear_override(name)


def prepare_database(folder):
    CONF([], project="cinder", default_config_files=[],
         default_config_dirs=[])
    CONF.set_override("connection", "sqlite:///" + os.path.join(folder, "db"),
                      "database")
    CONF.set_override("service_down_time", 10 ** 6)
    CONF.set_override("state_path", folder)
    CONF.set_override("lock_path", folder, "oslo_concurrency")
    migration.db_sync()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", default="1", help="of the requests")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--out", required=True, help="file for the cases")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    bus = Bus()
    with tempfile.TemporaryDirectory() as folder:
        prepare_database(folder)
        replace_surroundings(bus)
        rng = random.Random(args.seed)
        with open(args.out, "w") as out:
            left, number = args.count, 0
            while left > 0:
                drawn = questions_worlds.world(rng, number)
                world = World(drawn, bus)
                for _ in range(min(left, rng.randrange(6, 16))):
                    q = questions_worlds.question(rng, drawn)
                    case = {"world": number, "question": q,
                            "args": questions_worlds.arguments(drawn, q),
                            "expect": world.ask(q)}
                    out.write(json.dumps(case) + "\n")
                    left -= 1
                files = questions_worlds.files(drawn)
                out.write(json.dumps({"world": number, "files": files}) + "\n")
                world.close()
                number += 1
    print("cinder %s: %d requests in %d worlds"
          % (version.version_string(), args.count, number))


if __name__ == "__main__":
    main()
