package flasharray

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	resolution = 30 * time.Second
	// recent holds three samples of an array that is at work, which fits the
	// budget; a sample may be published some seconds late.
	recent = 90 * time.Second
	// lookBack is how far back Cinder's driver looks, for arrays that have been
	// idle.
	lookBack = time.Hour
	// lookBackItems bounds the answer for the hour, which may hold 120 samples.
	lookBackItems = 3
)

// performance reads the newest sample of the array's load. It stays nil when
// the array has had none for an hour: to a scheduler zero would mean the
// fastest array there is.
func (s *sampler) performance(ctx context.Context) {
	var odd []error
	perf, err := s.newestSample(ctx, &odd)
	s.stats.Performance = perf
	s.fault("performance", append(odd, err)...)
}

// newestSample asks for the last minute and a half, and for the last hour when
// that holds nothing. An array that was sparse at the reading before is asked
// for the hour at once, so that idleness does not cost an additional request.
func (s *sampler) newestSample(ctx context.Context, odd *[]error) (*capability.Performance, error) {
	if !s.memory.sparse {
		p, err := s.history(ctx, recent, nil, odd)
		if err != nil || len(p.items) > 0 {
			return s.decodePerformance(p, odd), err
		}
	}
	p, err := s.lookBack(ctx, odd)
	if err != nil {
		return nil, err
	}
	perf := s.decodePerformance(p, odd)
	s.memory.sparse = perf == nil || perf.Age >= recent
	return perf, nil
}

// lookBack reads the newest end of the last hour without reading the hour. It
// asks for the newest first; if the array ignores or refuses that and sends
// the oldest, the other end is fetched by its offset.
func (s *sampler) lookBack(ctx context.Context, odd *[]error) (*page, error) {
	query := url.Values{"limit": {strconv.Itoa(lookBackItems)}, "total_item_count": {"true"}, "sort": {"time-"}}
	p, err := s.history(ctx, lookBack, query, odd)
	if hasStatus(err, http.StatusBadRequest) {
		query.Del("sort")
		p, err = s.history(ctx, lookBack, query, odd)
	}
	if err != nil {
		return nil, err
	}
	if len(p.items) < lookBackItems || newestFirst(p.items) {
		return p, nil
	}
	total := p.int("total_item_count")
	if total == nil {
		return nil, errors.New("the array neither sorts nor counts its samples")
	}
	if *total <= int64(len(p.items)) {
		return p, nil
	}
	query.Del("sort")
	query.Set("offset", strconv.FormatInt(*total-lookBackItems, 10))
	return s.history(ctx, lookBack, query, odd)
}

// history asks for the samples since some time ago, by the array's clock. The
// end of the window is left to the array: it knows best what "now" is. Only an
// array whose clock was set back, so that old samples are later than its clock,
// is asked for an end from then on.
func (s *sampler) history(ctx context.Context, since time.Duration, query url.Values, odd *[]error) (*page, error) {
	p, err := s.window(ctx, since, query, odd)
	if err != nil || !s.dropFuture(p) || s.memory.ahead {
		return p, err
	}
	s.memory.ahead = true
	if p, err = s.window(ctx, since, query, odd); err == nil {
		s.dropFuture(p)
	}
	return p, err
}

func (s *sampler) window(ctx context.Context, since time.Duration, query url.Values, odd *[]error) (*page, error) {
	q := maps.Clone(query)
	if q == nil {
		q = url.Values{}
	}
	now := s.memory.clock.at(time.Now())
	q.Set("resolution", strconv.FormatInt(resolution.Milliseconds(), 10))
	q.Set("start_time", strconv.FormatInt(now.Add(-since).UnixMilli(), 10))
	if s.memory.ahead {
		q.Set("end_time", strconv.FormatInt(now.Add(resolution).UnixMilli(), 10))
	}
	return s.ask(ctx, "arrays/performance", q, odd)
}

// dropFuture takes out samples that are later than the array's own clock by more
// than a resolution, and reports whether there were any.
func (s *sampler) dropFuture(p *page) bool {
	if !s.memory.clock.known(p.answer) {
		return false
	}
	latest, before := s.memory.clock.answered(p.answer).Add(resolution), len(p.items)
	p.items = slices.DeleteFunc(p.items, func(o object) bool {
		at, ok := o.time("time")
		return ok && at.After(latest)
	})
	return len(p.items) < before
}

func newestFirst(items []object) bool {
	return slices.IsSortedFunc(items, func(a, b object) int {
		s, _ := a.time("time")
		t, _ := b.time("time")
		return t.Compare(s)
	})
}

// decodePerformance reads the sample with the greatest time. The order of
// samples is documented nowhere.
func (s *sampler) decodePerformance(p *page, odd *[]error) *capability.Performance {
	if p == nil {
		return nil
	}
	var newest object
	var at time.Time
	for _, o := range p.items {
		if t, ok := o.time("time"); ok && t.After(at) {
			newest, at = o, t
		}
	}
	if at.IsZero() {
		if len(p.items) > 0 {
			*odd = append(*odd, errors.New("no sample tells its time"))
		}
		return nil
	}
	perf := decodeSample(newest)
	perf.Time, perf.Resolution = at, resolution
	perf.Age = max(s.memory.clock.answered(p.answer).Sub(at), 0)
	return perf
}

func decodeSample(o object) *capability.Performance {
	return &capability.Performance{
		ReadsPerSec:               o.int("reads_per_sec"),
		WritesPerSec:              o.int("writes_per_sec"),
		MirroredWritesPerSec:      o.int("mirrored_writes_per_sec"),
		ReadBytesPerSec:           o.int("read_bytes_per_sec"),
		WriteBytesPerSec:          o.int("write_bytes_per_sec"),
		MirroredWriteBytesPerSec:  o.int("mirrored_write_bytes_per_sec"),
		UsecPerRead:               o.int("usec_per_read_op"),
		UsecPerWrite:              o.int("usec_per_write_op"),
		UsecPerMirroredWrite:      o.int("usec_per_mirrored_write_op"),
		QueueUsecPerRead:          o.int("queue_usec_per_read_op"),
		QueueUsecPerWrite:         o.int("queue_usec_per_write_op"),
		QueueUsecPerMirroredWrite: o.int("queue_usec_per_mirrored_write_op"),
		QueueDepth:                o.int("queue_depth"),
	}
}
