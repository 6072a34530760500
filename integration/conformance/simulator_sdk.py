"""Runs the vendor's own client, py-pure-client, with simulated arrays.

Reads a job from stdin as JSON: where each array is served, the certificate
authority's file, an api token, and a control address. Prints the results
as one JSON object. A request to the control address changes the simulator:
GET /<array>/<change>.
"""

import json
import sys
import time
import urllib.request

from pypureclient import PureError, flasharray
from pypureclient.configuration import Configuration

# Everything that the Cinder driver reads, and what else the simulator offers.
READS = {
    "arrays": "get_arrays",
    "arrays/space": "get_arrays_space",
    "arrays/performance": "get_arrays_performance",
    "controllers": "get_controllers",
    "volumes": "get_volumes",
    "volumes/space": "get_volumes_space",
    "volumes/performance": "get_volumes_performance",
    "volume-snapshots": "get_volume_snapshots",
    "hosts": "get_hosts",
    "hosts/performance": "get_hosts_performance",
    "protection-groups": "get_protection_groups",
    "pods": "get_pods",
    "array-connections": "get_array_connections",
    "alerts": "get_alerts",
    "network-interfaces": "get_network_interfaces",
    "ports": "get_ports",
    "subscriptions": "get_subscriptions",
    "subscription-assets": "get_subscription_assets",
    "connections": "get_connections",
    "volume-groups": "get_volume_groups",
    "volume-groups/performance": "get_volume_groups_performance",
    "drives": "get_drives",
    "hardware": "get_hardware",
    "directories": "get_directories",
    "directories/performance": "get_directories_performance",
    "hosts/performance/balance": "get_hosts_performance_balance",
    "network-interfaces/performance": "get_network_interfaces_performance",
    "pods/performance": "get_pods_performance",
    "pods/performance/replication": "get_pods_performance_replication",
    "pod-replica-links/lag": "get_pod_replica_links_lag",
    "pod-replica-links/performance/replication": "get_pod_replica_links_performance_replication",
}


def connect(job, name):
    # Release 1.96 does not pass its argument ssl_cert to the transport; it does
    # pass the configuration object's ssl_ca_cert.
    return flasharray.Client(
        target=job["arrays"][name],
        api_token=job["api_token"],
        verify_ssl=True,
        configuration=Configuration(ssl_ca_cert=job["ca_file"]),
        user_agent="poolcast conformance",
    )


def control(job, name, switch):
    with urllib.request.urlopen(f"http://{job['control']}/{name}/{switch}") as response:
        response.read()


def items(response):
    if response.status_code != 200:
        raise RuntimeError(f"status {response.status_code}: {response.errors}")
    return list(response.items)


def read_all(client):
    """Counts what each endpoint lists, walking every page."""
    return {path: len(items(getattr(client, method)())) for path, method in READS.items()}


def driver_reads(client):
    """The requests of the Cinder driver that carry parameters."""
    now = int(time.time()) * 1000
    history = client.get_arrays_performance(
        end_time=now, start_time=now - 3600000, resolution=30000, total_item_count=True)
    samples = items(history)
    ready = items(client.get_controllers(filter="status='ready'"))
    ports = [p.name for c in ready for p in items(client.get_ports(filter="name='" + c.name + ".*'"))]
    virtual = items(client.get_network_interfaces(filter="eth.subtype='lacp_bond' or eth.subtype='vif'"))
    for interface in virtual:
        items(client.get_ports(names=[interface.name.upper()]))
    initiator = items(client.get_hosts(filter="is_local", limit=1))[0].iqns[0]
    here = items(client.get_hosts(filter="iqns='" + initiator + "' and is_local"))
    away = items(client.get_hosts(filter="iqns='" + initiator + "' and not is_local"))
    return {
        "samples": len(samples),
        "sample_count": history.total_item_count,
        "ascending": all(a.time < b.time for a, b in zip(samples, samples[1:])),
        "ready": [c.name for c in ready],
        "ports": sorted(ports),
        "virtual": [i.name for i in virtual],
        "hosts_of_initiator": [len(here), len(away)],
    }


def sdk_filters(client):
    """Filters as the client's own helpers render them."""
    volume = items(client.get_volumes(limit=1))[0]
    snapshot = items(client.get_volume_snapshots(limit=1))[0]
    P, F = flasharray.Property, flasharray.Filter
    responses = {
        "equal": client.get_volumes(filter=(P("name") == volume.name)),
        "and_not": client.get_volumes(filter=F.and_(P("name") == volume.name, F.not_(P("destroyed") == True))),  # noqa: E712
        "in": client.get_volumes(filter=F.in_(P("name"), [volume.name, "nobody"])),
        "contains": client.get_volumes(filter=F.contains(P("name"), volume.name[7:20])),
        "nested": client.get_volume_snapshots(filter=(P("source.name") == snapshot.source.name), limit=1),
        "newest_first": client.get_volumes(sort=[str(P("created").descending())], limit=1),
    }
    found = {name: len(items(response)) for name, response in responses.items()}
    newest = items(client.get_volumes(sort=["created-"], limit=1))[0]
    found["sorted"] = newest.created > volume.created
    return found


def refusals(client):
    unknown = client.get_volumes(names=["nobody"])
    bad = client.get_volumes(filter="name=")
    return {
        "unknown_status": unknown.status_code,
        "unknown_message": unknown.errors[0].message,
        "unknown_context": unknown.errors[0].context,
        "filter_status": bad.status_code,
    }


def relogin(job, name):
    """A session that ends between two calls is replaced without an error."""
    client = connect(job, name)
    items(client.get_arrays())
    control(job, name, "expire")
    return items(client.get_arrays())[0].name


def counts(client):
    response = client.get_volumes(limit=0, total_item_count=True)
    live = client.get_volumes(limit=0, total_item_count=True, destroyed=False)
    return {"all": response.total_item_count, "live": live.total_item_count}


def changes(client):
    """Changes a writable array, and reads the load and the space that follow."""
    gib = 1 << 30
    before = items(client.get_arrays_performance())[0]
    items(client.post_volumes(names=["sdk-1", "sdk-2", "sdk-3"], volume=flasharray.VolumePost(provisioned=1024 * gib)))
    items(client.post_volume_snapshots(source_names=["sdk-1"], volume_snapshot=flasharray.VolumeSnapshotPost(suffix="s")))
    items(client.post_volumes(names=["sdk-4"], volume=flasharray.VolumePost(source=flasharray.Reference(name="sdk-1.s"))))
    items(client.post_volume_groups(names=["sdk"], volume_group=flasharray.VolumeGroupPost()))
    items(client.post_volumes(names=["sdk/five"], volume=flasharray.VolumePost(provisioned=gib)))
    items(client.post_hosts(names=["sdk-host"], host=flasharray.HostPost(iqns=["iqn.2026-01.com.example:sdk"])))
    items(client.post_connections(host_names=["sdk-host"], volume_names=["sdk-2"], connection=flasharray.ConnectionPost()))
    items(client.patch_volumes(names=["sdk-2"], volume=flasharray.VolumePatch(provisioned=2048 * gib)))
    items(client.patch_volumes(names=["sdk-3"], volume=flasharray.VolumePatch(destroyed=True)))
    array = items(client.get_arrays_performance())[0]
    volumes = items(client.get_volumes_performance())
    host = items(client.get_hosts_performance(names=["sdk-host"]))[0]
    volume = items(client.get_volumes_performance(names=["sdk-2"]))[0]
    space = items(client.get_volumes_space(names=["sdk-2"]))[0].space
    return {
        "busier": array.reads_per_sec > before.reads_per_sec,
        "sum": sum(v.reads_per_sec for v in volumes) - array.reads_per_sec,
        "host": host.reads_per_sec - volume.reads_per_sec,
        "provisioned": space.total_provisioned // gib,
        "destroyed": items(client.get_volumes_performance(names=["sdk-3"]))[0].reads_per_sec,
    }


def wrong_token(job, name):
    try:
        connect({**job, "api_token": "wrong"}, name)
    except PureError as error:
        return type(error).__name__
    return "accepted"


def main():
    job = json.load(sys.stdin)
    seen = {}
    for name in job["arrays"]:
        client = connect(job, name)
        if job["writable"]:
            seen[name] = {"changes": changes(client), "reads": read_all(client)}
            continue
        seen[name] = {
            "version": client.get_rest_version(),
            "reads": read_all(client),
            "driver": driver_reads(client),
            "filters": sdk_filters(client),
            "refusals": refusals(client),
            "counts": counts(client),
            "relogin": relogin(job, name),
            "wrong_token": wrong_token(job, name),
        }
    json.dump(seen, sys.stdout)


main()
