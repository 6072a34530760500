"""Random backends and requests for Cinder's scheduler; see vectors_cases.py."""

import json

FILTERS = ["AvailabilityZoneFilter", "CapacityFilter", "CapabilitiesFilter"]
MORE_FILTERS = ["DriverFilter", "IgnoreAttemptedHostsFilter", "JsonFilter",
                "InstanceLocalityFilter"]
WEIGHERS = ["CapacityWeigher", "AllocatedCapacityWeigher", "GoodnessWeigher"]

FUNCTIONS = [
    "capabilities.total_volumes < 800", "volume.size < 500",
    "(stats.free_capacity_gb > 100) and (volume.size < 1000)",
    "capabilities.storage_protocol == 'iscsi'",
    "stats.storage_protocol == 'fc' ? 80 : 20", "extra.tier == 'gold'",
    "100 * (1 / max(capabilities.usec_per_write_op, 1))",
    "100 - min(capabilities.load_percent, 100)", "capabilities.load_percent",
    "(stats.free_capacity_gb / stats.total_capacity_gb) * 100",
    "stats.allocated_capacity_gb", "stats.allocated_capacity_gb / 100",
    "qos.maxIOPS > 100", "capabilities.data_reduction * 10", "1 < 2", "1 > 2",
    "0", "100", "101", "-5", "50.5", "capabilities.usec_per_write_op < 200",
    "volume.size > 10 ? 100 : 10", "capabilities.total_volumes / 10",
    "abs(50 - capabilities.load_percent)", "stats.reserved_percentage",
]
# A goodness of NaN is left out: Cinder sorts by it, which gives any order.
BROKEN_FUNCTIONS = [
    "capabilities.missing > 5", "1 +", "", "capabilities.p99_usec", "1 / 0",
    "stats.updated", "volume.size and volume.size", "inf", "extra.tier", "'text'", "stats.cluster_name == 5", "1, 2",
]
PROTOCOLS = ["iSCSI", "iscsi", "FC", "fibre_channel", "fc", "NVMe-oF", "NVMe",
             "nvmeof", "NFS", "nfs", "ceph", None, ["iSCSI", "FC"]]
ZONES = ["dc1", "dc2", "nova"]
POOLS = ["gold", "silver", "pure_performance"]


def some(rng, chance):
    return rng.random() < chance


class Case:
    """Backends, options and requests of one case. With valid=True the reports
    are as those of a FlashArray; otherwise some have values of a wrong type."""

    def __init__(self, rng, valid):
        self.rng = rng
        self.valid = valid

    def options(self):
        rng = self.rng
        filters = list(FILTERS)
        if some(rng, 0.6):
            filters += [f for f in MORE_FILTERS if some(rng, 0.6)]
        if some(rng, 0.3):
            rng.shuffle(filters)
        if some(rng, 0.1):
            filters = rng.sample(FILTERS + MORE_FILTERS, rng.randrange(1, 4))
        weighers = rng.choice([["CapacityWeigher"], ["CapacityWeigher"],
                               ["GoodnessWeigher"], WEIGHERS,
                               ["AllocatedCapacityWeigher"],
                               ["CapacityWeigher", "GoodnessWeigher"], []])
        return {
            "scheduler_default_filters": filters,
            "scheduler_default_weighers": weighers,
            "capacity_weight_multiplier":
                rng.choice([1.0, 1.0, 1.0, -1.0, 0.0, 2.5, -0.5]),
            "allocated_capacity_weight_multiplier":
                rng.choice([-1.0, -1.0, 1.0, 0.0, 3.0]),
            "max_over_subscription_ratio":
                rng.choice(["20.0", "20.0", "auto", "auto", "1.5", "1"]),
        }

    def backends(self, count):
        rng = self.rng
        name = rng.choice(POOLS)
        twins = some(rng, 0.15)
        out, first = [], None
        for i in range(count):
            cluster = None
            if some(rng, 0.1):
                cluster = "c%d@b%d" % (i, i)
            if i and some(rng, 0.03):
                cluster = out[-1]["cluster_name"]
            report = self.report(name if some(rng, 0.8) else rng.choice(POOLS))
            if twins and first is not None and some(rng, 0.7):
                report = dict(first)
            first = first or report
            out.append({"host": "h%d@b%d" % (rng.randrange(2), i),
                        "cluster_name": cluster,
                        "availability_zone": rng.choice(ZONES),
                        "capabilities": report})
        return out

    def report(self, name):
        rng = self.rng
        total = float(rng.choice([100, 1000, 5000, 102400, 99.5]))
        used = round(total * rng.random(), rng.choice([0, 2, 6]))
        report = {
            "volume_backend_name": name, "vendor_name": "Pure Storage",
            "driver_version": "19.0.0",
            "storage_protocol": rng.choice(PROTOCOLS[:10]),
            "total_capacity_gb": total,
            "free_capacity_gb": total - used,
            "provisioned_capacity_gb": round(used * rng.choice(
                [0, 0.5, 1, 2.5, 6, 15]), 3),
            "allocated_capacity_gb": rng.randrange(3000),
            "reserved_percentage": rng.choice([0] * 12 + [5, 10, 15, 20, 99,
                                                         100]),
            "max_over_subscription_ratio": rng.choice(
                [20.0, 1.0, 4.56, 1.5, 0.5, 10]),
            "thin_provisioning_support": some(rng, 0.85),
            "thick_provisioning_support": some(rng, 0.3),
            "multiattach": True, "QoS_support": some(rng, 0.5),
            "total_volumes": rng.choice([0, 10, 799, 800, 801, 912]),
            "usec_per_write_op": rng.choice([0, 90, 153, 400, 2000]),
            "load_percent": rng.randrange(120),
            "data_reduction": round(rng.uniform(1, 9), 2),
            "array_model": rng.choice(["FA-X50R4", "FA-C60", "FA-X20R3"]),
            "replication_enabled": some(rng, 0.4),
            "replication_type": rng.choice([[], ["async"], ["async", "sync"]]),
            "filter_function": None, "goodness_function": None,
            "tiers": {"gold": {"iops": 500}, "silver": None},
        }
        self.functions(report)
        for key in list(report):
            if some(rng, 0.04):
                del report[key]
        if not self.valid:
            self.disturb(report)
        return report

    def functions(self, report):
        for key in ("filter_function", "goodness_function"):
            if some(self.rng, 0.7):
                report[key] = self.rng.choice(FUNCTIONS)
            if not self.valid and some(self.rng, 0.15):
                report[key] = self.rng.choice(BROKEN_FUNCTIONS)

    def disturb(self, report):
        """Replace some values by those of other drivers, and by invalid ones."""
        rng = self.rng
        odd = {
            "total_capacity_gb": ["infinite", "unknown", 0, -5.0, 1000,
                                  "1000", None],
            "free_capacity_gb": ["infinite", "unknown", None, 0, -10, 1e6],
            "provisioned_capacity_gb": [0, 0, 1e6],
            "allocated_capacity_gb": [0, 12.5],
            "reserved_percentage": [7.5, "10", 120, None, "x", True, -10],
            "max_over_subscription_ratio": ["auto", "auto", None, 0, 1,
                                            "1.5", "", True, -1, 0.999],
            "thin_provisioning_support": [None, "True", "False", 0, 1],
            "storage_protocol": PROTOCOLS,
            "total_volumes": [None, "800", 799.5, True, "many"],
            "volume_backend_name": [None, "", "gold#x"],
            "online_extend_support": [False, False, True, "False"],
            "multiattach": [False, "True", "yes", None, ["True"]],
            "load_percent": [None, 0.99, "12", "high"],
            "QoS_support": ["True", None],
            "timestamp": ["never"],
        }
        for key, values in odd.items():
            if some(rng, 0.06):
                report[key] = rng.choice(values)

    def request(self, backends):
        rng = self.rng
        size = rng.choice([1, 10, 10, 100, 750, 4000, 0])
        properties = {"size": size, "display_name": "vol-1", "metadata": {},
                      "attach_status": rng.choice(["detached", "attached"])}
        request = {"size": size, "volume_type": self.volume_type(),
                   "volume_properties": properties,
                   "qos_specs": rng.choice([None, None, {"maxIOPS": 500}])}
        if some(rng, 0.3):
            request["availability_zones"] = rng.sample(ZONES, 2)
        elif some(rng, 0.3):
            request["availability_zone"] = rng.choice(ZONES)
        if size and some(rng, 0.15):
            request["new_size"] = size + rng.choice([0, 1, 50, 3000])
        if some(rng, 0.1):
            request["vol_exists_on"] = self.pool_id(backends)
        # The scheduler takes the size of a failed attempt back from the
        # backend's free capacity, so there must be one.
        tried = [b for b in backends
                 if b["capabilities"].get("free_capacity_gb", 0) is not None]
        if tried and some(rng, 0.2):
            request["retry_backends"] = [self.pool_id(tried) for _ in
                                         range(rng.randrange(1, 3))]
        if some(rng, 0.25):
            request["query"] = json.dumps(self.query(2, backends))
        if some(rng, 0.3):
            request.update(self.locality(backends))
        return request

    def locality(self, backends):
        """The hint local_to_instance, and what Nova has of that instance. Cinder
        requests nothing from Nova for an empty hint; poolcast takes a host without
        an instance for the host of one that it was not given."""
        rng = self.rng
        instance = "0f3a1c52-7d5e-4e0e-9f43-7d1f1c2b3a4d"
        if some(rng, 0.2):
            instance = rng.choice([
                instance.upper(), instance.replace("-", ""), "urn:uuid:" + instance,
                "{%s}" % instance, instance[:-1], "vm", "", instance + " "])
        hosts = [(b["cluster_name"] or b["host"]).split("@")[0] for b in backends]
        found = {"local_to_instance": instance}
        if some(rng, 0.9):
            host = rng.choice(hosts + ["compute9", backends[0]["host"]])
            if instance:
                found["instance_host"] = host
        return found

    def pool_id(self, backends):
        backend = self.rng.choice(backends)
        return "%s#%s" % (backend["cluster_name"] or backend["host"],
                          backend["capabilities"].get("volume_backend_name"))

    def volume_type(self):
        rng = self.rng
        if some(rng, 0.15):
            return None
        specs = {}
        for key, values in self.spec_choices().items():
            if some(rng, 0.07):
                specs[key] = rng.choice(values)
        items = list(specs.items())
        rng.shuffle(items)
        return {"name": "t", "extra_specs": dict(items)}

    def spec_choices(self):
        specs = {
            "volume_backend_name": POOLS + ["<or> gold <or> silver"],
            "capabilities:volume_backend_name": POOLS,
            "total_volumes": ["<= 800", "< 800", "= 10", "!= 912"],
            "capabilities:total_volumes": ["<= 800", ">= 1"],
            "multiattach": ["<is> True"],
            "replication_enabled": ["<is> True", "<is> False", "True"],
            "replication_type": ["<in> async", "async", "<or> sync"],
            "storage_protocol": ["iscsi", "<or> FC <or> iSCSI", "<in> iscsi",
                                 "NVMe-oF", "s== fc"],
            "array_model": ["<in> X", "s>= FA-C", "FA-C60"],
            "data_reduction": [">= 3", "<= 6.5", "== 4"],
            "capabilities:tiers:gold:iops": [">= 500", "== 1"],
            "tiers:gold": ["x"],
            "capabilities:tiers:silver:iops": ["== 1"],
            "vendor:secret": ["anything"],
            "provisioning:type": ["thin", "thick"],
            "tier": ["gold"],
            "QoS_support": ["<is> True"],
            "thin_provisioning_support": ["<is> True"],
            "usec_per_write_op": ["<= 400"],
            "capabilities": ["x"],
            "timestamp": ["s!= x", "<is> False", ">= 1", "<in> 2", "x",
                          "s< x", "<or> x", "<or>", None],
            "capabilities:timestamp:year": ["== 2025"],
        }
        # Rare requirements are drawn seldom, or no backend would pass.
        for key in ("tiers:gold", "capabilities:tiers:silver:iops", "tier",
                    "capabilities", "timestamp",
                    "capabilities:timestamp:year"):
            if some(self.rng, 0.8):
                del specs[key]
        if not self.valid and some(self.rng, 0.1):
            specs["total_volumes"] = ["<in> 8", "<or>", None]
            specs["missing"] = ["x", None]
        return specs

    def query(self, depth, backends):
        rng = self.rng
        if depth and some(rng, 0.4):
            return [rng.choice(["and", "or", "not"])] + [
                self.query(depth - 1, backends)
                for _ in range(rng.randrange(1, 3))]
        name, value = rng.choice([
            ("$free_capacity_gb", 100), ("$total_capacity_gb", 1000.0),
            ("$capabilities.total_volumes", 800), ("$allocated_capacity_gb", 9),
            ("$capabilities.load_percent", 50), ("$reserved_percentage", 0),
            ("$backend_id", self.pool_id(backends)), ("$pool_name", "gold"),
            ("$capabilities.array_model", "FA-C60"), ("$missing", 1),
            ("$capabilities.missing", 1), ("$vendor_name", "Pure Storage"),
            ("$service.availability_zone", "dc1"),
            ("$capabilities.tiers.gold.iops", 500), ("$cluster_name", "x"),
            ("$host", "h0@b0#gold"), ("$provisioned_capacity_gb", 1000),
            ("$max_over_subscription_ratio", 2), ("$multiattach", True),
        ])
        text = isinstance(value, (str, bool))
        op = rng.choice(["=", "=", "in"] if text else
                        ["=", "<", ">", "<=", ">="])
        terms = [name, value]
        if op == "in" and some(rng, 0.5):
            terms.append(rng.choice(["gold", "silver"]))
        return [op] + (terms if some(rng, 0.9) else terms[::-1])

    def simple_request(self):
        """A request of a sequence, without what belongs to a single volume."""
        rng = self.rng
        size = rng.choice([1, 10, 10, 50, 100, 400])
        request = {"size": size, "volume_type": self.volume_type(),
                   "volume_properties": {"size": size, "metadata": {}},
                   "qos_specs": None}
        if some(rng, 0.7):
            request["volume_type"] = None
        if some(rng, 0.15):
            request["availability_zone"] = rng.choice(ZONES)
        return request
