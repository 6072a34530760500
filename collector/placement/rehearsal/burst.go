package rehearsal

import (
	"errors"
	"fmt"
	"time"

	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Burst is a number of equal creates.
type Burst struct {
	// Request is what each of them asks for. Its seed is that of the first;
	// each further one has its own.
	Request *cinder.Request
	Count   int
	// Rate is how many creates there are in a second. The first comes one
	// step after a report.
	Rate float64
	// Interval lies between two reports of an array.
	Interval time.Duration
	// Schedulers take creates in turn. Each hears every report.
	Schedulers int
	// Skew is by how much the stamps of reports are ahead of the schedulers'
	// clocks; less than 0 if they are behind.
	Skew time.Duration
	// Fill is the share of its size that a volume takes from an array's free
	// space, 0…1.
	Fill float64
	// Operations are those per second that each volume brings along, half of
	// them reads.
	Operations float64
}

// The bounds of a burst.
const (
	MaxCount      = 10000
	MaxSchedulers = 100
)

// Check says everything that is wrong with the burst.
func (b Burst) Check() error {
	var faults []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	refuse(b.Request == nil, "request: there is none")
	refuse(b.Count < 1 || b.Count > MaxCount, "count %d: want 1 to %d", b.Count, MaxCount)
	refuse(!(b.Rate >= 1e-6 && b.Rate <= 1e6), "rate %v: want creates per second, such as 0.5", b.Rate)
	refuse(b.Interval < time.Second, "interval %s: want a second or more", b.Interval)
	refuse(b.Schedulers < 1 || b.Schedulers > MaxSchedulers, "schedulers %d: want 1 to %d", b.Schedulers, MaxSchedulers)
	refuse(b.Skew.Abs() > time.Hour, "skew %s: want an hour at most", b.Skew)
	refuse(!(b.Fill >= 0 && b.Fill <= 1), "fill %v: want a share between 0 and 1", b.Fill)
	refuse(!(b.Operations >= 0 && b.Operations <= 1e9), "operations %v: want a number per second", b.Operations)
	return errors.Join(faults...)
}

// request returns the i-th create.
func (b Burst) request(i int) *cinder.Request {
	r := *b.Request
	r.RandomSeed += uint64(i)
	return &r
}

// at is the moment of the i-th create.
func (b Burst) at(i int) time.Time {
	return begin().Add(time.Duration(float64(i+1) / b.Rate * float64(time.Second)))
}

// reported is the moment of the last report at or before t.
func (b Burst) reported(t time.Time) time.Time {
	since := t.Sub(begin())
	return begin().Add(since - since%b.Interval)
}

// begin is when the first report is made: any moment will do.
func begin() time.Time { return time.Unix(0, 0).UTC() }
