"""Whether a backend passes Cinder's CapacityFilter for a volume of 1 GiB.

Each line of standard input is a report's capabilities as JSON; each line of
standard output is true or false.
"""

import json
import logging
import sys

from cinder import objects
from oslo_config import cfg
from oslo_utils import timeutils

objects.register_all()  # before the scheduler is imported, which names them

from cinder.scheduler.filters import capacity_filter  # noqa: E402
from cinder.scheduler import host_manager  # noqa: E402


def passes(capabilities):
    backend = host_manager.BackendState('here@x', None)
    backend.update_from_volume_capability(
        dict(capabilities, timestamp=timeutils.utcnow()),
        service={'disabled': False})
    pool, = backend.pools.values()
    return capacity_filter.CapacityFilter().backend_passes(
        pool, {'size': 1, 'request_spec': {}})


logging.disable(logging.CRITICAL)
cfg.CONF([], project='cinder', default_config_files=[])
for line in sys.stdin:
    print(json.dumps(passes(json.loads(line))), flush=True)
