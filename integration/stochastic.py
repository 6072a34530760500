"""Prints how often Cinder's StochasticHostWeightHandler chooses each backend.

Standard input is a JSON list of lists of weights. For each, random.random() returns
every value of an even grid once, so that the shares are those of all draws, up to one
step of the grid for each backend.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")
sys.dont_write_bytecode = True  # the folder may be read-only

from cinder.scheduler.weights import stochastic
from cinder.scheduler import weights as wts

STEPS = 20000


class Given(wts.BaseHostWeigher):
    """Weighs a backend, which is a pair, by its second part."""

    def _weigh_object(self, backend, properties):
        return backend[1]


def shares(handler, weights):
    chosen = [0] * len(weights)
    for step in range(STEPS):
        stochastic.random.random = lambda: (step + 0.5) / STEPS
        best = handler.get_weighed_objects(
            [Given], list(enumerate(weights)), {})[0]
        chosen[best.obj[0]] += 1
    return [n / STEPS for n in chosen]


handler = stochastic.StochasticHostWeightHandler("cinder.scheduler.weights")
json.dump([shares(handler, w) for w in json.load(sys.stdin)], sys.stdout)
