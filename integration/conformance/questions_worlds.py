"""Random clouds and requests for questions.py; nothing here imports Cinder."""

import json

ZONES = ["dc1", "dc2", "dc3"]
POOLS = ["gold", "silver"]
DEFAULT_FILTERS = ["AvailabilityZoneFilter", "CapacityFilter",
                   "CapabilitiesFilter"]
MORE_FILTERS = ["DriverFilter", "JsonFilter", "DifferentBackendFilter",
                "SameBackendFilter", "IgnoreAttemptedHostsFilter"]
WEIGHERS = [["CapacityWeigher"], ["CapacityWeigher"], ["GoodnessWeigher"],
            ["CapacityWeigher", "GoodnessWeigher"],
            ["AllocatedCapacityWeigher"]]
# What functions may read of any volume, and of a new one only.
OF_VOLUMES = [
    "volume.size < 200", "volume.multiattach == 0", "volume.multiattach",
    "volume.attach_status == 'detached'", "volume.availability_zone == 'dc1'",
    "volume.status == 'creating'", "volume.status != 'in-use'",
    "volume.status == 'extending' ? 0 : 100", "volume.size / 10",
    "capabilities.total_volumes < 500", "100 - capabilities.load_percent",
    "extra.tier == 'gold'", "extra.multiattach == '<is> True'",
    "qos.maxIOPS > 100", "qos.maxIOPS",
]
OF_NEW_VOLUMES = [
    "volume.display_name == 'x'", "volume.bootable == 0",
    "volume.encryption_key_id == 0", "volume.snapshot_id == 0",
    "volume.metadata", "volume.reservations", "volume.host == 'x'",
    "volume.qos_specs", "volume.group_id", "volume.name", "volume.id",
    "volume.migration_status", "volume.cluster_name",
]


def some(rng, chance):
    return rng.random() < chance


def world(rng, number):
    zones = ["dc1"] + rng.sample(ZONES, rng.choice([0, 1, 2, 2, 3]))
    pools = rng.sample(POOLS, rng.choice([1, 2]))
    moves = some(rng, 0.4)
    functions = OF_VOLUMES + ([] if moves else OF_NEW_VOLUMES)
    filters = DEFAULT_FILTERS + [f for f in MORE_FILTERS if some(rng, 0.7)]
    if some(rng, 0.2):
        rng.shuffle(filters)
    cluster = "c1" if some(rng, 0.15) else None
    types = [volume_type(rng, "w%d-t%d" % (number, i))
             for i in range(rng.randrange(2, 6))]
    more = {}
    if some(rng, 0.2):
        more["default_volume_type"] = types[0]["name"]
    return {
        "number": number, "moves": moves,
        "options": dict(more, **{
            "default_availability_zone": rng.choice(
                [None] * 4 + ["dc1", "dc1", "dc2", "dc9"]),
            "storage_availability_zone": rng.choice(
                ["nova"] + ["dc1"] * 6 + ["dc2"]),
            "allow_availability_zone_fallback": some(rng, 0.4),
            "cloned_volume_same_az": some(rng, 0.7),
            "snapshot_same_host": some(rng, 0.7),
            "scheduler_default_filters": filters,
            "scheduler_default_weighers": rng.choice(WEIGHERS),
        }),
        "backends": [backend(rng, i, zones, pools, functions, cluster)
                     for i in range(rng.choice([1, 2, 3, 3, 4, 6]))],
        "types": types,
    }


def backend(rng, i, zones, pools, functions, cluster):
    name, pool = "fa%d" % i, rng.choice(pools)
    total = rng.choice([1000.0, 5000.0, 20000.5])
    capabilities = {
        "volume_backend_name": pool, "vendor_name": "Pure Storage",
        "driver_version": "23.0.iscsi", "storage_protocol": "iSCSI",
        "total_capacity_gb": total,
        "free_capacity_gb": round(total * rng.random(), 3),
        "provisioned_capacity_gb": round(total * rng.random() * 2, 1),
        "allocated_capacity_gb": rng.randrange(900),
        "max_over_subscription_ratio": rng.choice([2.5, 10.5, 20.0]),
        "reserved_percentage": rng.choice([0, 0, 10]),
        "thin_provisioning_support": True, "multiattach": some(rng, 0.7),
        "QoS_support": True, "backend_state": "up",
        "total_volumes": rng.randrange(1000), "load_percent": rng.randrange(99),
        "filter_function": None, "goodness_function": None,
    }
    if some(rng, 0.2):
        capabilities["online_extend_support"] = some(rng, 0.5)
    if some(rng, 0.25):
        capabilities["filter_function"] = rng.choice(functions)
    if some(rng, 0.5):
        capabilities["goodness_function"] = rng.choice(functions)
    return {"name": name, "host": "ctl1@" + name, "pool": pool,
            "cluster": cluster and cluster + "@" + name,
            "availability_zone": rng.choice(zones),
            "capabilities": capabilities}


def volume_type(rng, name):
    specs = {}
    if some(rng, 0.3):
        specs["volume_backend_name"] = rng.choice(POOLS)
    if some(rng, 0.35):
        names = rng.sample(ZONES + ["dc9"], rng.choice([1, 1, 2, 3]))
        text = rng.choice([",", ", ", " , "]).join(names)
        specs["RESKEY:availability_zones"] = rng.choice(
            [text, text, text, text + ",", "," + text, "", " "])
    if some(rng, 0.4):
        specs["multiattach"] = rng.choice(
            ["<is> True", "<is> True", "<is> true", "True", "<is> False"])
    if some(rng, 0.3):
        specs["vendor:tier"] = "gold"
    if some(rng, 0.1):
        specs["tier"] = rng.choice(["gold", "silver"])
    if some(rng, 0.2):
        specs["capabilities:total_volumes"] = "<= %d" % rng.randrange(1000)
    if some(rng, 0.2):
        specs["provisioning:min_vol_size"] = str(rng.randrange(1, 100))
    if some(rng, 0.2):
        specs["provisioning:max_vol_size"] = str(rng.randrange(50, 900))
    qos = None
    if some(rng, 0.3):
        qos = {"maxIOPS": rng.choice(["50", "500"]), "maxBWS": "100"}
    return {"name": name, "extra_specs": specs, "qos": qos,
            "consumer": rng.choice(["front-end", "back-end", "both"])}


def question(rng, drawn):
    if drawn["moves"] and some(rng, 0.6):
        return rng.choice([extend, migrate, retype])(rng, drawn)
    return create(rng, drawn)


def size(rng):
    return rng.choice([1, 10, 50, 60, 80, 100, 200, rng.randrange(1, 3000)])


def type_name(rng, drawn, none=0.3):
    if some(rng, none):
        return None
    return rng.choice(drawn["types"])["name"]


def volume_type_name(rng, drawn):
    """The type of a volume, which no flag says if it is the default one."""
    named = "default_volume_type" in drawn["options"]
    return type_name(rng, drawn, none=0 if named else 0.3)


def volume(rng, drawn, **more):
    return dict({"backend": rng.randrange(len(drawn["backends"])),
                 "size": size(rng), "type": volume_type_name(rng, drawn),
                 "in_use": some(rng, 0.3)}, **more)


def create(rng, drawn):
    q = {"kind": "create", "size": size(rng), "type": type_name(rng, drawn),
         "zone": rng.choice([None] * 6 + ["dc1", "dc1", "dc2", "dc2", "dc3",
                                          "dc9", "nova"]), "source": None, "hints": []}
    if some(rng, 0.15):
        q["type"] = volume_type_name(rng, drawn)
        q["source"] = volume(rng, drawn, type=q["type"], in_use=False,
                             snapshot=some(rng, 0.5))
        q["source"]["size"] = min(q["source"]["size"], q["size"])
        return q
    for name in ("same_host", "different_host"):
        for _ in range(rng.choice([0, 0, 0, 0, 1, 2])):
            q["hints"].append([name, rng.randrange(len(drawn["backends"]))])
    if some(rng, 0.15):
        q["hints"].append(["query", query(rng)])
    return q


def query(rng):
    leaf = rng.choice([
        ["<", "$capabilities.total_volumes", rng.randrange(1000)],
        [">=", "$free_capacity_gb", rng.randrange(9000)],
        ["=", "$volume_backend_name", rng.choice(POOLS)],
        ["in", "$service.availability_zone", "dc1", "dc2"],
    ])
    return json.dumps(rng.choice([leaf, ["not", leaf], ["and", leaf, leaf],
                                  ["or", leaf, ["=", "$host", "x"]]]))


def extend(rng, drawn):
    v = volume(rng, drawn)
    return {"kind": "extend", "volume": v,
            "size": max(v["size"] + rng.choice([0, 1, 50, 5000]), 1)}


def migrate(rng, drawn):
    return {"kind": "migrate", "volume": volume(rng, drawn),
            "to": rng.randrange(len(drawn["backends"]))}


def retype(rng, drawn):
    """No flag says that QoS specs differ, which counts for volumes in use."""
    name, v = type_name(rng, drawn, none=0), volume(rng, drawn)
    with_qos = [t["name"] for t in drawn["types"] if t["qos"]]
    v["in_use"] &= name not in with_qos and v["type"] not in with_qos
    return {"kind": "retype", "volume": v, "type": name,
            "policy": rng.choice(["never", "on-demand"])}


def arguments(drawn, q):
    """The flags of poolcast place for a request."""
    names = [b["name"] for b in drawn["backends"]]
    types = {t["name"]: t for t in drawn["types"]}
    v = q.get("volume")
    args = ["--size", str(v["size"] if v and q["kind"] != "extend" else q["size"])]
    kind_of = q["type"] if q["kind"] in ("create", "retype") else v["type"]
    if kind_of:
        args += ["--type", kind_of]
    if q["kind"] == "create":
        default = drawn["options"].get("default_volume_type")
        return args + create_arguments(names, types, q, default)
    at = names[v["backend"]]
    if q["kind"] == "extend":
        args += ["--extend", at, "--from-size", str(v["size"])]
    elif q["kind"] == "migrate":
        args += ["--migrate-from", at, "--to", names[q["to"]]]
    else:
        args += ["--retype-of", at, "--migration-policy", q["policy"]]
        if v["type"]:
            args += ["--from-type", v["type"]]
    return args + (["--in-use"] if v["in_use"] else [])


def create_arguments(names, types, q, default):
    args, name = [], q["type"] or default
    if name and types[name]["qos"]:
        for key, value in types[name]["qos"].items():
            args += ["--qos", "%s=%s" % (key, value)]
    if q["zone"]:
        args += ["--availability-zone", q["zone"]]
    if q["source"]:
        flag = "--snapshot-of" if q["source"]["snapshot"] else "--clone-of"
        args += [flag, names[q["source"]["backend"]]]
    for name, value in q["hints"]:
        args += ["--hint", "%s=%s" % (
            name, value if name == "query" else names[value])]
    return args


def files(drawn):
    """The files of a world: cinder.conf, the reports and the types."""
    lines = ["[DEFAULT]", "host = ctl1", "enabled_backends = " + ",".join(
        b["name"] for b in drawn["backends"])]
    for name, value in drawn["options"].items():
        if isinstance(value, list):
            value = ",".join(value)
        if value is not None:
            lines.append("%s = %s" % (name, value))
    for b in drawn["backends"]:
        lines += ["[%s]" % b["name"],
                  "volume_driver = cinder.volume.drivers.pure.PureISCSIDriver",
                  "volume_backend_name = " + b["pool"], "san_ip = 10.0.0.1",
                  "pure_api_token = t"]
    reports = [{
        "host": b["host"], "cluster": b["cluster"], "backend": b["name"],
        "volume_backend_name": b["pool"],
        "availability_zone": b["availability_zone"],
        "collected_at": "2026-11-22T18:33:01Z", "status": "ok",
        "capabilities": b["capabilities"]} for b in drawn["backends"]]
    types = [{"Name": t["name"], "Properties": t["extra_specs"]}
             for t in drawn["types"]]
    return {"cinder.conf": "\n".join(lines) + "\n",
            "reports.json": json.dumps(reports),
            "types.json": json.dumps(types)}
