package collector

import (
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
)

func TestLoadPercent(t *testing.T) {
	type perf = capability.Performance
	n := ptr[int64]
	for name, c := range map[string]struct {
		p    perf
		want int64
		ok   bool
	}{
		"idle":                    {perf{ReadsPerSec: n(0), WritesPerSec: n(0)}, 0, true},
		"reads only":              {perf{ReadsPerSec: n(10), WritesPerSec: n(0), UsecPerRead: n(100), QueueUsecPerRead: n(25)}, 25, true},
		"writes weighted by rate": {perf{ReadsPerSec: n(1), WritesPerSec: n(3), UsecPerRead: n(100), QueueUsecPerRead: n(0), UsecPerWrite: n(100), QueueUsecPerWrite: n(80)}, 60, true},
		"mirrored writes":         {perf{ReadsPerSec: n(0), WritesPerSec: n(0), MirroredWritesPerSec: n(5), UsecPerMirroredWrite: n(200), QueueUsecPerMirroredWrite: n(50)}, 25, true},
		"at most 100":             {perf{ReadsPerSec: n(1), WritesPerSec: n(0), UsecPerRead: n(10), QueueUsecPerRead: n(90)}, 100, true},
		"no latency":              {perf{ReadsPerSec: n(1), WritesPerSec: n(0), QueueUsecPerRead: n(90)}, 0, false},
		"no queue time":           {perf{ReadsPerSec: n(1), WritesPerSec: n(0), UsecPerRead: n(90)}, 0, false},
		"no rate":                 {perf{ReadsPerSec: n(1), UsecPerRead: n(90), QueueUsecPerRead: n(1)}, 0, false},
		"latency 0":               {perf{ReadsPerSec: n(1), WritesPerSec: n(0), UsecPerRead: n(0), QueueUsecPerRead: n(0)}, 0, true},
		"negative queue":          {perf{ReadsPerSec: n(1), WritesPerSec: n(0), UsecPerRead: n(9), QueueUsecPerRead: n(-5)}, 0, true},
	} {
		if got, ok := loadPercent(&c.p); got != c.want || ok != c.ok {
			t.Errorf("%s: %d, %v; want %d, %v", name, got, ok, c.want, c.ok)
		}
	}
}
