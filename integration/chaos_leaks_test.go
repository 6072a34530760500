//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/poolcast/poolcast/integration/process"
)

// footprint is what an agent holds.
type footprint struct{ descriptors, goroutines, queues int }

// slack is what may be in flight: a poll or two, the question for the metrics.
const slack = 10

func (x *chaos) footprint() footprint {
	x.t.Helper()
	text := fetch(x.t, x.page+"/metrics")
	goroutines := lines(text, "go_goroutines ")
	if len(goroutines) != 1 {
		x.t.Fatalf("the metrics do not tell the number of goroutines:\n%s", text)
	}
	n, err := strconv.Atoi(goroutines[0])
	if err != nil {
		x.t.Fatal(err)
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", x.agent.Pid()))
	if err != nil {
		x.t.Fatal(err)
	}
	return footprint{descriptors: len(descriptors), goroutines: n, queues: len(x.broker.Queues())}
}

// awaitFootprint waits until the agent holds no more than it did before, and
// one session on each array.
func (x *chaos) awaitFootprint(before footprint) {
	x.t.Helper()
	process.Await(x.t, closeBound, "the agent to let go of what it does not need", func() error {
		now := x.footprint()
		var left []error
		if now.descriptors > before.descriptors+slack {
			left = append(left, fmt.Errorf("%d descriptors became %d", before.descriptors, now.descriptors))
		}
		if now.goroutines > before.goroutines+slack {
			left = append(left, fmt.Errorf("%d goroutines became %d", before.goroutines, now.goroutines))
		}
		if now.queues != before.queues {
			left = append(left, fmt.Errorf("%d queues became %d", before.queues, now.queues))
		}
		for _, array := range x.arrays {
			if n := array.Sessions(); n != 1 {
				left = append(left, fmt.Errorf("%s has %d sessions", array.Name(), n))
			}
		}
		if len(left) == 0 {
			x.t.Logf("after: %+v", now)
		}
		return errors.Join(left...)
	})
}
