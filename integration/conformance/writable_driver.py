"""Runs Cinder's own Pure drivers against writable simulated arrays.

Usage: writable_driver.py CINDER_CONF

Each line of standard input is a stanza of the file and a scenario. The
stanza's own driver is set up and the scenario is run with it; one line of JSON
on standard output has what the array lists after each step:
{"steps": {name: value}} or {"error": "..."}. No database and no message bus is
used: the objects that the driver gets from them are simple ones.
"""

import contextlib
import json
import logging
import sys
import tempfile
import traceback
import types
import uuid

from cinder import context
from cinder import coordination
from cinder import objects
from oslo_config import cfg
from oslo_utils import importutils

objects.register_all()  # before the manager is imported, which names them

from cinder.objects import volume_type as type_objects  # noqa: E402
from cinder.volume import configuration  # noqa: E402
from cinder.volume import manager  # noqa: E402
from cinder.volume import qos_specs  # noqa: E402
from cinder.volume import volume_types  # noqa: E402
from cinder.volume import volume_utils  # noqa: E402

TYPES = {}
GIB = 1 << 30


class Thing(dict):
    """What the driver uses of Cinder's objects: members by name and by key."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name)

    def __setattr__(self, name, value):
        self[name] = value

    def is_replicated(self):
        return self['extra_specs'].get('replication_enabled') == '<is> True'


class Volume(Thing):
    def is_replicated(self):
        return bool(self['volume_type'] and self['volume_type'].is_replicated())


def new_type(**specs):
    made = Thing(id=str(uuid.uuid4()), extra_specs=specs, qos_specs_id=None)
    TYPES[made.id] = made
    return made


def replicated(kind):
    return new_type(replication_enabled='<is> True', replication_type='<in> ' + kind)


PLAIN = new_type()


def new_volume(size=1, volume_type=PLAIN, group=None):
    name = str(uuid.uuid4())
    return Volume(
        id=name, name='volume-' + name, name_id=name, size=size, project_id='project', metadata={}, provider_id=None,
        volume_type=volume_type, volume_type_id=volume_type.id, group=group, group_id=group and group.id,
        consistencygroup_id=None, volume_attachment=[], replication_driver_data=None)


def new_snapshot(volume, group_snapshot=None):
    name = str(uuid.uuid4())
    return Thing(id=name, name='snapshot-' + name, volume=volume, volume_size=volume.size, metadata={},
                 group_snapshot=group_snapshot, cgsnapshot=None)


def use_no_database():
    volume_types.get_volume_type = lambda ctxt, name: TYPES[name]
    volume_types.get_volume_type_extra_specs = lambda name: TYPES[name].extra_specs
    type_objects.VolumeType.get_by_name_or_id = classmethod(lambda cls, ctxt, name: TYPES[name])
    qos_specs.get_qos_specs = lambda ctxt, name: {'specs': TYPES[name].qos}
    volume_utils.is_group_a_cg_snapshot_type = lambda group: True
    volume_utils.is_group_a_type = lambda group, kind: group.replicated


def driver_of(stanza, active=None):
    conf = configuration.Configuration(manager.volume_backend_opts, config_group=stanza)
    driver = importutils.import_object(
        conf.volume_driver, configuration=conf, host='here@' + stanza,
        cluster_name=None, is_vol_db_empty=True, active_backend_id=active)
    secrets = {}
    driver._get_chap_secret_from_init_data = secrets.get
    driver.driver_utils = Thing(insert_driver_initiator_data=lambda initiator, key, value: not secrets.update({initiator: value}))
    driver._get_attachments = lambda volume: ('Data', 'instance')
    driver.do_setup(None)
    driver.set_initialized()
    return driver


def listed(response):
    if response.status_code != 200:
        return [error.message for error in response.errors]
    return list(response.items)


def stats(driver):
    driver._update_volume_stats()
    return {key: driver._stats[key] for key in
            ('total_volumes', 'total_snapshots', 'total_hosts', 'total_pgroups', 'provisioned_capacity_gb')}


def volume_of(driver, volume):
    found = listed(driver._array.get_volumes(names=[volume.provider_id]))[0]
    if isinstance(found, str):
        return found
    qos = found.qos
    return {'name': found.name.replace(volume.id, 'ID'), 'gib': found.provisioned / GIB, 'destroyed': found.destroyed,
            'connections': found.connection_count, 'iops': getattr(qos, 'iops_limit', None)}


def create(driver, volume):
    volume.update(driver.create_volume(volume))
    return volume


def volumes(driver, note):
    note('stats at start', stats(driver))
    one = create(driver, new_volume(2))
    note('created', volume_of(driver, one))
    note('stats after create', stats(driver))
    driver.extend_volume(one, 3)
    note('extended', volume_of(driver, one))
    snapshot = new_snapshot(one)
    driver.create_snapshot(snapshot)
    note('stats after snapshot', stats(driver))
    copy, clone = new_volume(4), new_volume(3)
    copy.update(driver.create_volume_from_snapshot(copy, snapshot))
    note('from snapshot', volume_of(driver, copy))
    clone.update(driver.create_cloned_volume(clone, one))
    note('cloned', volume_of(driver, clone))
    driver.revert_to_snapshot(None, one, snapshot)
    limited = new_type()
    limited.update(qos_specs_id=limited.id, qos={'maxIOPS': '5000', 'maxBWS': '100'})
    driver.retype(None, one, limited, None, None)
    note('limited', volume_of(driver, one))
    fast = create(driver, new_volume(1, limited))
    note('created with limits', volume_of(driver, fast))
    note('tags', sorted('%s=%s' % (t.key, t.value) for t in listed(driver._array.get_volumes_tags(
        resource_names=[one.provider_id], namespaces=['openstack-integration.purestorage.com']))))
    driver.delete_snapshot(snapshot)
    driver.delete_snapshot(snapshot)
    for volume in (one, copy, clone, fast):
        driver.delete_volume(volume)
    driver.delete_volume(one)
    note('deleted', volume_of(driver, one))
    note('stats at end', stats(driver))


def containers(driver, note):
    grouped = new_type(**{'flasharray:vg_name': 'gold', 'flasharray:vg_maxIOPS': '1000', 'flasharray:vg_maxBWS': '1048576'})
    one = create(driver, new_volume(1, grouped))
    note('in a volume group', volume_of(driver, one))
    note('volume group', listed(driver._array.get_volume_groups(names=['gold']))[0].volume_count)
    _, update = driver.retype(Thing(), one, PLAIN, None, None)
    one.update(update, volume_type=PLAIN, volume_type_id=PLAIN.id)
    note('moved out', volume_of(driver, one))
    note('volume group left', listed(driver._array.get_volume_groups(names=['gold']))[0].destroyed)
    # The driver of 29 gives the client the limits of a type as text, which the
    # client refuses; without them it gives numbers.
    grouped = new_type(**{'flasharray:vg_name': 'silver'})
    _, update = driver.retype(Thing(), one, grouped, None, None)
    one.update(update, volume_type=grouped, volume_type_id=grouped.id)
    note('moved in', volume_of(driver, one))
    driver.delete_volume(one)


def management(driver, note):
    one = create(driver, new_volume(2))
    driver.unmanage(one)
    unmanaged = listed(driver._array.get_volumes(filter="name='*%s*'" % one.id[:20]))[0].name
    note('unmanaged', unmanaged.endswith('-unmanaged'))
    other, reference = new_volume(2), {'source-name': unmanaged}
    note('size', driver.manage_existing_get_size(other, reference))
    other.update(driver.manage_existing(other, reference))
    note('managed', volume_of(driver, other))
    snapshot = new_snapshot(other)
    driver.create_snapshot(snapshot)
    driver.unmanage_snapshot(snapshot)
    left = listed(driver._array.get_volume_snapshots(source_names=[other.provider_id]))[0].name
    note('unmanaged snapshot', left.endswith('-unmanaged'))
    again, reference = new_snapshot(other), {'source-name': left}
    note('size of snapshot', driver.manage_existing_snapshot_get_size(again, reference))
    driver.manage_existing_snapshot(again, reference)
    note('managed snapshot', listed(driver._array.get_volume_snapshots(names=[driver._get_snap_name(again)]))[0].suffix == again.name)
    found = driver.get_manageable_volumes([other], None, 10000, 0, ['size'], ['asc'])
    note('manageable', [v['reason_not_safe'] for v in found if v['reference']['name'] == other.provider_id])
    driver.get_manageable_snapshots([again], None, 10000, 0, ['size'], ['asc'])
    driver.delete_snapshot(again)
    driver.delete_volume(other)


def new_group(kind=None):
    types_of = [replicated(kind)] if kind else [PLAIN]
    return Thing(id=str(uuid.uuid4()), volume_types=types_of, volume_type_ids=[t.id for t in types_of],
                 replicated=bool(kind), is_replicated=bool(kind))


def groups(driver, note):
    group = new_group()
    driver.create_group(None, group)
    two = [create(driver, new_volume(1, group=group)) for _ in range(2)]
    extra = create(driver, new_volume())
    driver.update_group(None, group, [extra], [])
    name = driver._get_pgroup_name(group)
    note('members', listed(driver._array.get_protection_groups(names=[name]))[0].volume_count)
    driver.update_group(None, group, [], [extra])
    taken = Thing(id=str(uuid.uuid4()), group=group, group_id=group.id)
    parts = [new_snapshot(volume, taken) for volume in two]
    driver.create_group_snapshot(None, taken, parts)
    note('group snapshot', len(listed(driver._array.get_volume_snapshots(filter="name='%s.*'" % name))))
    copied, copies = new_group(), [new_volume(), new_volume()]
    _, updates = driver.create_group_from_src(None, copied, copies, taken, parts)
    note('from group snapshot', len(updates))
    cloned, clones = new_group(), [new_volume(), new_volume()]
    for volume in clones:
        volume.provider_id = driver._generate_purity_vol_name(volume)
        note('no such volume', volume_of(driver, volume))
    clones_of_group(driver, note, cloned, clones, group, two)
    driver.delete_group_snapshot(None, taken, parts)
    driver.delete_group_snapshot(None, taken, parts)
    note('deleted group snapshot', [s.destroyed for s in listed(driver._array.get_protection_group_snapshots(source_names=[name]))])
    driver.delete_group(None, group, two)
    driver.delete_group(None, group, [])
    note('deleted group', listed(driver._array.get_protection_groups(names=[name]))[0].destroyed)
    note('member after', volume_of(driver, two[0])['destroyed'])


def clones_of_group(driver, note, cloned, clones, group, sources):
    """The driver clones the volumes that it must update only; it gives none."""
    driver.update_provider_info = lambda volumes, snapshots: (volumes, None)
    _, updates = driver.create_group_from_src(None, cloned, clones, None, None, group, sources)
    note('from group', listed(driver._array.get_protection_groups(names=[driver._get_pgroup_name(cloned)]))[0].volume_count)


CONNECTOR = {
    'host': 'compute-1', 'initiator': 'iqn.1994-05.com.redhat:feedbeef0001', 'system uuid': str(uuid.uuid4()),
    'wwpns': ['10000000c9feed01', '10000000c9feed02'], 'nqn': 'nqn.2014-08.org.nvmexpress:uuid:feed'}


def connections(driver, note):
    connector = CONNECTOR
    one, two = create(driver, new_volume()), create(driver, new_volume())
    for volume in (one, two, two):
        properties = driver.initialize_connection(volume, connector)
    note('kind', properties['driver_volume_type'])
    note('luns', properties['data'].get('target_luns') or properties['data'].get('portals') and 'portals')
    note('connected', volume_of(driver, two)['connections'])
    host = driver._get_host(driver._array, connector)[0]
    note('host', host.connection_count)
    refused = driver._array.post_hosts(names=['other'], host=host_with(driver, connector))
    note('initiator in use', refused.errors[0].message)
    note('host in use', driver._array.delete_hosts(names=[host.name]).errors[0].message)
    driver.terminate_connection(one, connector)
    note('disconnected', volume_of(driver, one)['connections'])
    driver.terminate_connection(two, connector)
    driver.terminate_connection(two, connector)
    note('hosts left', len(driver._get_host(driver._array, connector)))
    driver.initialize_connection(one, connector)
    for volume in (one, two):
        driver.delete_volume(volume)
    note('hosts after delete', len(driver._get_host(driver._array, connector)))


def host_with(driver, connector):
    from pypureclient import flasharray
    initiators = {'iSCSI': {'iqns': [connector['initiator']]}, 'FC': {'wwns': connector['wwpns']}}
    return flasharray.HostPost(**initiators.get(driver._storage_protocol, {'nqns': [connector['nqn']]}))


def replication(driver, note):
    arrays = {a.backend_id: a for a in driver._replication_target_arrays}
    one = create(driver, new_volume(1, replicated('async')))
    note('async', one.replication_status)
    plain = create(driver, new_volume())
    _, update = driver.retype(None, plain, replicated('async'), None, None)
    note('retyped to async', update)
    sync = create(driver, new_volume(1, replicated('sync')))
    note('sync', volume_of(driver, sync)['name'])
    note('sync on the second', [v.provisioned / GIB for v in listed(arrays['second'].get_volumes(names=[sync.provider_id]))])
    driver.extend_volume(sync, 2)
    note('extended on the second', [v.provisioned / GIB for v in listed(arrays['second'].get_volumes(names=[sync.provider_id]))])
    paths = driver.initialize_connection(sync, CONNECTOR)['data']['target_iqns']
    note('arrays of the paths', len(set(paths)))
    note('connections', volume_of(driver, sync)['connections'])
    driver.terminate_connection(sync, CONNECTOR)
    note('connections left', volume_of(driver, sync)['connections'])
    moved = create(driver, new_volume())
    _, update = driver.retype(None, moved, replicated('sync'), None, None)
    note('retyped to sync', listed(arrays['second'].get_volumes(names=[moved.provider_id]))[0].name == moved.provider_id)
    moved.volume_type = replicated('sync')
    moved.volume_type_id = moved.volume_type.id
    driver.retype(None, moved, PLAIN, None, None)
    note('retyped from sync', volume_of(driver, moved))
    note('ghosts', [p.name for p in listed(driver._array.get_pods()) if 'ghost' in p.name])
    replicate_now(driver)
    name = '%s:cinder-group' % driver._array.array_name
    note('transfers', len(listed(arrays['third'].get_protection_group_snapshots_transfer(names=[name]))) > 0)
    failover(driver, note, 'third', [one, sync])
    failover(driver, note, 'second', [one, sync])


def replicate_now(driver, group='cinder-group'):
    from pypureclient import flasharray
    listed(driver._array.post_protection_group_snapshots(
        source_names=[group], replicate_now=True,
        protection_group_snapshot=flasharray.ProtectionGroupSnapshotPost(suffix='now')))


def failover(driver, note, target, given):
    active, updates, _ = driver.failover_host(None, given, target)
    note('failed over to ' + target, [u['updates'] for u in updates])
    note('volumes on ' + target, [isinstance(volume_of(driver, v), dict) for v in given])
    active, updates, _ = driver.failover_host(None, given, 'default')
    note('failed back from ' + target, active)


def group_replication(driver, note):
    group = new_group('async')
    driver.create_group(None, group)
    kind = group.volume_types[0]
    two = [create(driver, new_volume(1, kind, group)) for _ in range(2)]
    name = driver._get_pgroup_name(group)
    note('targets', sorted('%s %s' % (t.member.name, t.allowed) for t in listed(
        driver._array.get_protection_groups_targets(group_names=[name]))))
    note('disabled', driver.disable_replication(None, group, two)[0])
    note('schedule', listed(driver._array.get_protection_groups(names=[name]))[0].replication_schedule.enabled)
    note('enabled', driver.enable_replication(None, group, two)[0])
    replicate_now(driver, name)
    model, updates = driver.failover_replication(None, group, two, 'third')
    note('failed over', [model, [u['replication_status'] for u in updates]])
    third = [a for a in driver._replication_target_arrays if a.backend_id == 'third'][0]
    note('volumes on third', len(listed(third.get_volumes(names=[v.provider_id for v in two]))))
    note('failed back', driver.failover_replication(None, group, two, 'default')[0])
    driver.delete_group(None, group, two)


def trisync(driver, note):
    one = create(driver, new_volume(1, replicated('trisync')))
    note('trisync', one.replication_status)
    note('group', listed(driver._array.get_protection_groups(names=['cinder-pod::cinder-trisync']))[0].target_count)


SCENARIOS = {f.__name__: f for f in (
    volumes, containers, management, groups, connections, replication, group_replication, trisync)}


def main(path):
    logging.disable(logging.CRITICAL)
    cfg.CONF(['--config-file', path], project='cinder')
    use_no_database()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        cfg.CONF.set_override('backend_url', 'file://' + folder, group='coordination')
        coordination.COORDINATOR.start()
        stack.callback(coordination.COORDINATOR.stop)
        for line in sys.stdin:
            stanza, scenario = line.split()
            steps = {}
            answer = {'steps': steps}
            try:
                SCENARIOS[scenario](driver_of(stanza), steps.__setitem__)
            except Exception:  # the driver failed
                answer['error'] = traceback.format_exc()
            print(json.dumps(answer, default=str), flush=True)


main(sys.argv[1])
