"""Prints the filters, weighers and handlers of the installed Cinder as JSON.

Filters and weighers are the names of the classes, by which a scheduler finds them;
handlers are the paths that scheduler_weight_handler may have.
"""

import inspect
import json
import sys
import warnings

warnings.simplefilter("ignore")
sys.dont_write_bytecode = True  # the folder may be read-only

from cinder import objects

objects.register_all()  # two filters need it

from cinder.scheduler import base_weight
from cinder.scheduler import filters
from cinder.scheduler import weights
from cinder.scheduler.weights import stochastic


def classes(handler):
    return sorted(c.__name__ for c in handler.get_all_classes())


json.dump({
    "filters": classes(filters.BackendFilterHandler(
        "cinder.scheduler.filters")),
    "weighers": classes(weights.OrderedHostWeightHandler(
        "cinder.scheduler.weights")),
    "handlers": sorted(
        "%s.%s" % (module.__name__, name)
        for module in (weights, stochastic)
        for name, c in inspect.getmembers(module, inspect.isclass)
        if issubclass(c, base_weight.BaseWeightHandler)
        and c.__module__ == module.__name__),
}, sys.stdout)
