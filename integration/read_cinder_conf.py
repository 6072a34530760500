#!/usr/bin/env python3
"""Read configurations with Cinder's own options, and print what Cinder gets.

Standard input holds a JSON list of cases:

    {"args": ["--config-file", "a.conf", ...], "environ": {"OS_...": "..."}}

Standard output is {"cinder": 21, "results": [...]}, Cinder's major version and
the results in the same order, either {"refused": true, "why": "..."} or
{"default": {...}, "rabbit": {...}, "url": {...}, "backends": [...]}.
A value that cannot be read makes the whole configuration a refused one: Cinder
stops at the first such value, and poolcast lists them all.

Each case runs in a process of its own, because oslo.config's registry is
global.
"""

import json
import math
import os
import sys
import warnings

warnings.simplefilter('ignore')

from oslo_config import cfg  # noqa: E402

from cinder import objects  # noqa: E402

objects.register_all()

from cinder.common import config as common_config  # noqa: E402,F401
from cinder.scheduler.filters import extra_specs_ops  # noqa: E402
from cinder.scheduler import host_manager  # noqa: E402,F401
from cinder.scheduler.weights import capacity  # noqa: E402,F401
from cinder.scheduler.weights import volume_number  # noqa: E402,F401
from cinder import service  # noqa: E402,F401
from cinder import version  # noqa: E402
from cinder.volume import api  # noqa: E402,F401
from cinder.volume import configuration  # noqa: E402
from cinder.volume import driver  # noqa: E402
from cinder.volume.drivers import pure  # noqa: E402
from cinder.volume.drivers.san import san  # noqa: E402
from cinder.volume import manager  # noqa: E402
from cinder.volume import volume_utils  # noqa: E402
from oslo_messaging._drivers import amqp  # noqa: E402
from oslo_messaging._drivers import common as rpc_common  # noqa: E402
from oslo_messaging._drivers import impl_rabbit  # noqa: E402
from oslo_messaging import transport  # noqa: E402

DEFAULT = """control_exchange backend_stats_polling_interval periodic_interval
scheduler_default_filters
scheduler_default_weighers scheduler_weight_handler capacity_weight_multiplier
allocated_capacity_weight_multiplier volume_number_multiplier
storage_availability_zone default_availability_zone default_volume_type
allow_availability_zone_fallback cloned_volume_same_az
snapshot_same_host""".split()

RABBIT = """ssl ssl_ca_file ssl_cert_file ssl_key_file
heartbeat_timeout_threshold rabbit_login_method kombu_failover_strategy
kombu_reconnect_delay rabbit_retry_interval rabbit_retry_backoff
rabbit_interval_max rabbit_transient_quorum_queue rabbit_quorum_queue""".split()

BACKEND = """san_ip reserved_percentage
pure_automatic_max_oversubscription_ratio driver_ssl_cert_verify""".split()


def backend(conf, name):
    """The options of the driver of one section."""
    c = configuration.Configuration(manager.volume_backend_opts, name)
    for opts in (driver.volume_opts, san.san_opts, pure.PURE_OPTS):
        c.append_config_values(opts)
    conf.register_opt(cfg.StrOpt('backend_host'), group=name)
    module, _, name_of_class = c.volume_driver.rpartition('.')
    if module != 'cinder.volume.drivers.pure':
        return None
    getattr(pure, name_of_class)
    nvme = 'NVMe-TCP' if c.pure_nvme_transport == 'tcp' else 'NVMe-RoCE'
    result = {key: getattr(c, key) for key in BACKEND}
    result['stanza'] = name
    # The classes set it in their constructors (volume/drivers/pure.py).
    result['protocol'] = {
        'PureISCSIDriver': 'iSCSI', 'PureFCDriver': 'FC',
        'PureNVMEDriver': nvme,
    }[name_of_class]
    result['pool'] = c.volume_backend_name or name_of_class
    result['pure_api_token'] = c.pure_api_token or ''
    result['driver_ssl_cert_path'] = c.driver_ssl_cert_path or ''
    result['zone'] = (c.safe_get('backend_availability_zone') or
                      conf.storage_availability_zone)
    result['host'] = '%s@%s' % (conf[name].backend_host or conf.host, name)
    cluster = conf.cluster and conf.cluster.strip()
    result['cluster'] = '%s@%s' % (cluster, name) if cluster else ''
    # The manager leaves out what is false (volume/manager.py).
    result['extra_capabilities'] = json.loads(c.extra_capabilities) or {}
    result['max_over_subscription_ratio'] = (
        volume_utils.get_max_over_subscription_ratio(
            c.max_over_subscription_ratio, supports_auto=True))
    for key in ('filter_function', 'goodness_function'):
        result[key] = getattr(c, key) or getattr(conf, key) or None
    result['replication'] = [{
        'backend_id': d['backend_id'],
        'san_ip': d['san_ip'],
        'api_token': d['api_token'],
        'type': d.get('type', 'async'),
    } for d in c.safe_get('replication_device') or []]
    return result


def bus(conf):
    """The options of the RabbitMQ driver, with the URL's query."""
    url = transport.TransportURL.parse(conf)
    group = cfg.OptGroup(name='oslo_messaging_rabbit')
    conf.register_group(group)
    conf.register_opts(amqp.amqp_opts, group=group)
    conf.register_opts(impl_rabbit.rabbit_opts, group=group)
    proxy = rpc_common.ConfigOptsProxy(conf, url, group.name)
    rabbit = {key: getattr(proxy.oslo_messaging_rabbit, key)
              for key in RABBIT if key in conf.oslo_messaging_rabbit}
    return rabbit, {
        'virtual_host': url.virtual_host or '/',
        'brokers': [{
            'host': h.hostname, 'port': h.port or 5672,
            'username': h.username or 'guest',
            'password': h.password or 'guest',
        } for h in url.hosts] or [{
            'host': 'localhost', 'port': 5672,
            'username': 'guest', 'password': 'guest'}],
    }


def read(case):
    os.environ.update(case.get('environ') or {})
    conf = cfg.CONF
    conf.register_opt(cfg.StrOpt('cluster'))
    conf(case['args'], project='cinder', default_config_files=[],
         default_config_dirs=[])
    rabbit, url = bus(conf)
    result = {
        'default': {key: getattr(conf, key) for key in DEFAULT},
        'rabbit': rabbit,
        'url': url,
    }
    result['default']['default_availability_zone'] = (
        conf.default_availability_zone or '')
    result['default']['max_over_subscription_ratio'] = (
        volume_utils.get_max_over_subscription_ratio(
            conf.max_over_subscription_ratio, supports_auto=True))
    backends = [backend(conf, name) for name in
                filter(None, conf.enabled_backends or [])]
    result['backends'] = [b for b in backends if b]
    return result


def finite(value):
    """JSON has no infinities; they are written as words."""
    if isinstance(value, dict):
        return {key: finite(member) for key, member in value.items()}
    if isinstance(value, list):
        return [finite(member) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def in_child(case):
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        try:
            result = read(case)
        except (Exception, SystemExit) as exc:
            result = {'refused': True,
                      'why': '%s: %s' % (type(exc).__name__, exc)}
        with os.fdopen(into, 'w') as pipe:
            json.dump(finite(result), pipe)
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as pipe:
        result = json.load(pipe)
    os.waitpid(pid, 0)
    return result


def met(value, requirement):
    values = value if isinstance(value, list) else [value]
    return any(extra_specs_ops.match(v, requirement) for v in values)


def main():
    if sys.argv[1:] == ['options']:
        # Every option that a section of a backend may have.
        names = {o.name for opts in (
            driver.volume_opts, driver.image_opts, driver.iser_opts,
            driver.nvmeof_opts if hasattr(driver, 'nvmeof_opts') else [],
            driver.nvmet_opts, driver.scst_opts, driver.backup_opts,
            san.san_opts, pure.PURE_OPTS, manager.volume_backend_opts,
            amqp.amqp_opts, impl_rabbit.rabbit_opts) for o in opts}
        json.dump(sorted(names), sys.stdout)
        return
    if sys.argv[1:] == ['operators']:
        # Whether an extra spec and the advice on it pass CapabilitiesFilter,
        # which some extra specs make fail.
        def fits(value, requirement):
            try:
                return met(value, requirement)
            except (TypeError, IndexError):
                return False

        json.dump([{'written_fits': fits(case['value'], case['written']),
                    'advice_fits': met(case['value'], case['advice'])}
                   for case in json.load(sys.stdin)], sys.stdout)
        return
    json.dump({
        'cinder': int(version.version_string().split('.')[0]),
        'results': [in_child(case) for case in json.load(sys.stdin)],
    }, sys.stdout)


if __name__ == '__main__':
    main()
