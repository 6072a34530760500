"""The report of Cinder itself for a backend.

Usage: driver_report.py CINDER_CONF

Each line of standard input names a stanza of the file. For each, the stanza's
own volume driver is set up and its statistics are read, and cinder-volume's
manager completes them; one line of JSON on standard output has the result:
{"version": ..., "capabilities": {...}} or {"error": "..."}. Nothing is sent to
a message bus and no database is opened.
"""

import json
import logging
import sys

from cinder import context
from cinder import objects
from oslo_config import cfg
from oslo_utils import importutils

objects.register_all()  # before the manager is imported, which names them

from cinder.volume import configuration  # noqa: E402
from cinder.volume import manager  # noqa: E402


def driver_of(stanza):
    conf = configuration.Configuration(
        manager.volume_backend_opts, config_group=stanza)
    driver = importutils.import_object(
        conf.volume_driver, configuration=conf, host='here@' + stanza,
        cluster_name=None, is_vol_db_empty=True, active_backend_id=None)
    set_up(driver)
    driver.set_initialized()
    return driver


def set_up(driver):
    """do_setup, without what writes to an array.

    With replication devices do_setup makes protection groups and pods on all
    arrays. The statistics only need the devices that are read and the flags
    that follow from them. The pod's health, which is checked at each use of
    the array, is not used for the statistics, and a recording has no pod of
    Cinder's.
    """
    if driver.configuration.safe_get('replication_device'):
        driver.do_setup_replication = lambda: read_devices(driver)
        driver._setup_replicated_pgroups = lambda *args: None
        driver._get_current_array = lambda *args, **kwargs: driver._array
    driver.do_setup(None)


def read_devices(driver):
    driver.parse_replication_configs()
    driver._is_replication_enabled = True
    driver._is_active_cluster_enabled = bool(
        driver._active_cluster_target_arrays)


def capabilities_of(driver):
    volumes = manager.VolumeManager.__new__(manager.VolumeManager)
    volumes.driver = driver
    volumes.service_uuid = 'none'
    volumes.stats = {'allocated_capacity_gb': 0, 'pools': {}}
    volumes.extra_capabilities = json.loads(
        driver.configuration.extra_capabilities)
    volumes._report_driver_status(context.get_admin_context())
    return volumes.last_capabilities


def main(path):
    logging.disable(logging.CRITICAL)
    cfg.CONF(['--config-file', path], project='cinder')
    for line in sys.stdin:
        try:
            driver = driver_of(line.strip())
            answer = {'version': driver.VERSION,
                      'capabilities': capabilities_of(driver)}
        except Exception as e:  # the driver could not report
            answer = {'error': '%s: %s' % (type(e).__name__, e)}
        print(json.dumps(answer), flush=True)


main(sys.argv[1])
