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
	// recent contains three samples of a busy array, which fits the budget; a
	// sample may be published some seconds late.
	recent = 90 * time.Second
	// lookBack is how far back Cinder's driver looks, for arrays that have been
	// idle.
	lookBack = time.Hour
	// lookBackItems bounds the response for the hour, which may have 120 samples.
	lookBackItems = 3
)

// performance reads the newest performance sample. It stays nil when the array
// has had none for an hour: to a scheduler zero would mean the fastest array.
func (s *sampler) performance(ctx context.Context) {
	var warnings []error
	perf, err := s.newestSample(ctx, &warnings)
	s.stats.Performance = perf
	s.fault("performance", append(warnings, err)...)
}

// newestSample requests the last minute and a half, and the last hour when that
// has no sample. For an array that was idle before, the hour is requested at
// once, so that idleness does not cost an additional request.
func (s *sampler) newestSample(ctx context.Context, warnings *[]error) (*capability.Performance, error) {
	if !s.cache.idleArray {
		p, err := s.history(ctx, recent, nil, warnings)
		if err != nil || len(p.items) > 0 {
			return s.decodePerformance(p, warnings), err
		}
	}
	p, err := s.lookBack(ctx, warnings)
	if err != nil {
		return nil, err
	}
	perf := s.decodePerformance(p, warnings)
	s.cache.idleArray = perf == nil || perf.Age >= recent
	return perf, nil
}

// lookBack reads the newest samples of the last hour without reading the hour. It
// requests the newest first; if the array ignores or refuses that and sends the
// oldest, the other end is read by its offset.
func (s *sampler) lookBack(ctx context.Context, warnings *[]error) (*page, error) {
	query := url.Values{"limit": {strconv.Itoa(lookBackItems)}, "total_item_count": {"true"}, "sort": {"time-"}}
	p, err := s.history(ctx, lookBack, query, warnings)
	if hasStatus(err, http.StatusBadRequest) {
		query.Del("sort")
		p, err = s.history(ctx, lookBack, query, warnings)
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
	return s.history(ctx, lookBack, query, warnings)
}

// history requests the samples since a time ago, by the array's clock. The end
// of the window is left to the array's own clock. Only if the clock was set back,
// so that old samples are later than the clock, an end is sent from then on.
func (s *sampler) history(ctx context.Context, since time.Duration, query url.Values, warnings *[]error) (*page, error) {
	p, err := s.window(ctx, since, query, warnings)
	if err != nil || !s.dropFuture(p) || s.cache.futureSamples {
		return p, err
	}
	s.cache.futureSamples = true
	if p, err = s.window(ctx, since, query, warnings); err == nil {
		s.dropFuture(p)
	}
	return p, err
}

func (s *sampler) window(ctx context.Context, since time.Duration, query url.Values, warnings *[]error) (*page, error) {
	q := maps.Clone(query)
	if q == nil {
		q = url.Values{}
	}
	now := s.cache.clock.at(time.Now())
	q.Set("resolution", strconv.FormatInt(resolution.Milliseconds(), 10))
	q.Set("start_time", strconv.FormatInt(now.Add(-since).UnixMilli(), 10))
	if s.cache.futureSamples {
		q.Set("end_time", strconv.FormatInt(now.Add(resolution).UnixMilli(), 10))
	}
	return s.getPage(ctx, "arrays/performance", q, warnings)
}

// dropFuture removes samples that are later than the array's own clock by more
// than a resolution, and reports whether there were any.
func (s *sampler) dropFuture(p *page) bool {
	if !s.cache.clock.known(p.response) {
		return false
	}
	latest, before := s.cache.clock.arrayTime(p.response).Add(resolution), len(p.items)
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
// samples is not documented.
func (s *sampler) decodePerformance(p *page, warnings *[]error) *capability.Performance {
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
			*warnings = append(*warnings, errors.New("no sample has a time"))
		}
		return nil
	}
	perf := decodeSample(newest)
	perf.Time, perf.Resolution = at, resolution
	perf.Age = max(s.cache.clock.arrayTime(p.response).Sub(at), 0)
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
		QoSUsecPerRead:            o.int("qos_rate_limit_usec_per_read_op"),
		QoSUsecPerWrite:           o.int("qos_rate_limit_usec_per_write_op"),
		QoSUsecPerMirroredWrite:   o.int("qos_rate_limit_usec_per_mirrored_write_op"),
		QueueDepth:                o.int("queue_depth"),
	}
}

// clock is the array's clock. The times of samples are of this clock: a host
// whose own clock is wrong would request the wrong window and compute the wrong
// age.
//
// It is set by the Date of every response, so that a step of either clock is
// noticed at once. If Date is the clock of a proxy, the array's own _as_of, which
// is read after login, corrects it.
type clock struct {
	skew     *time.Duration // array's clock minus ours; nil if unknown
	fromDate time.Duration  // array's clock minus Date
}

// observe sets the clock by the Date of a response, which has whole seconds.
func (c *clock) observe(r *response) {
	if date, ok := r.date(); ok {
		c.set((date.Add(c.fromDate).Sub(r.received) + time.Second/2).Truncate(time.Second))
	}
}

// setAsOf sets the clock by the item of an array, REST 2.26 and later.
func (c *clock) setAsOf(array object, r *response) {
	now, ok := array.time("_as_of")
	if !ok {
		return
	}
	if date, ok := r.date(); ok {
		c.fromDate = now.Sub(date).Truncate(time.Second)
	}
	c.set(now.Sub(r.received).Round(time.Second))
}

func (c *clock) set(skew time.Duration) { c.skew = &skew }

// at converts a time of this host.
func (c *clock) at(t time.Time) time.Time {
	if c.skew != nil {
		t = t.Add(*c.skew)
	}
	return t
}

// known reports whether the array's time of a response is known.
func (c *clock) known(r *response) bool {
	_, dated := r.date()
	return dated || c.skew != nil
}

// arrayTime is the array's time of a response.
func (c *clock) arrayTime(r *response) time.Time {
	if date, ok := r.date(); ok {
		return date.Add(c.fromDate)
	}
	return c.at(r.received)
}
