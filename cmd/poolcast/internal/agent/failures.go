package agent

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

const (
	// failureLines is how many of them are logged in a failureWindow.
	failureLines  = 10
	failureWindow = time.Minute
)

// failureLog has the latest failed creates and counts them. Its methods may be called
// from any goroutine.
type failureLog struct {
	log zerolog.Logger

	mu      sync.Mutex
	since   time.Time
	latest  []status.Failure // the newest last
	counts  map[failureKey]uint64
	window  time.Time // when the first line of it was logged
	lines   int       // logged in the window
	skipped int       // not logged in the window
}

type failureKey struct{ pool, filter string }

func newFailureLog(log zerolog.Logger) *failureLog {
	return &failureLog{log: log, since: time.Now(), counts: map[failureKey]uint64{}}
}

// add takes an explained failure, and logs it unless many were logged just before.
func (l *failureLog) add(f status.Failure, c status.FailureCount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest = append(l.latest, f)
	l.latest = l.latest[max(0, len(l.latest)-status.MaxFailures):]
	if f.Operation == publisher.CreateVolume {
		l.counts[failureKey{c.Pool, c.Filter}]++
	}
	l.endWindow(f.ReceivedAt)
	if l.lines >= failureLines {
		l.skipped++
		return
	}
	if l.lines == 0 {
		l.window = f.ReceivedAt
	}
	l.lines++
	text := "create failed: "
	if f.Operation != publisher.CreateVolume {
		text = f.Operation + " failed: "
	}
	l.log.Warn().Msg(text + f.Request() + ": " + f.Explanation)
}

// tick logs how many failures of a window that has ended had no line.
func (l *failureLog) tick(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endWindow(now)
}

func (l *failureLog) endWindow(now time.Time) {
	if l.lines == 0 || now.Sub(l.window) < failureWindow {
		return
	}
	if l.skipped > 0 {
		l.log.Warn().Int("count", l.skipped).Msg("more creates failed in that minute; the status page and /v1/failures have the latest 50")
	}
	l.lines, l.skipped = 0, 0
}

// view returns what the status page shows, with a count of zero for each of the keys
// that has none: Prometheus computes no increase to the first value of a series.
func (l *failureLog) view(keys []failureKey) status.Failures {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := status.Failures{Since: l.since, Latest: slices.Clone(l.latest)}
	slices.Reverse(v.Latest)
	counts := maps.Clone(l.counts)
	for _, key := range keys {
		counts[key] += 0
	}
	for key, n := range counts {
		v.Counts = append(v.Counts, status.FailureCount{Pool: key.pool, Filter: key.filter, Number: n})
	}
	slices.SortFunc(v.Counts, func(a, b status.FailureCount) int {
		return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.Filter, b.Filter))
	})
	return v
}

// onFailure explains a failed create on the effective reports. The listener calls it.
func (a *agent) onFailure(f publisher.Failure) {
	a.failures.add(decision.ExplainFailure(a.cloud(), f, logicalPools(a.current.Load()), time.Now()))
}

// logicalPools are the configured ones.
func logicalPools(s *setup.Setup) []string {
	var names []string
	for _, t := range s.Targets {
		if !slices.Contains(names, t.Pool) {
			names = append(names, t.Pool)
		}
	}
	return names
}

// failureKeys are the labels that the metric can have.
func failureKeys(s *setup.Setup) (keys []failureKey) {
	filters := append(decision.FailureFilters(s.Config.Scheduler), decision.FilterNone, decision.FilterOther)
	for _, pool := range append(logicalPools(s), "") {
		for _, filter := range filters {
			keys = append(keys, failureKey{pool, filter})
		}
	}
	return keys
}

// viewFailures is the part of the view about failed creates.
func (s *statusSource) viewFailures() status.Failures {
	now, enabled := s.notified.status()
	if !enabled {
		return status.Failures{}
	}
	v := s.failures.view(failureKeys(s.setup.Load()))
	v.Enabled, v.Listening = true, now.State == publisher.FailuresListening
	if !v.Listening {
		v.Reason = cmp.Or(now.Detail, "not connected to RabbitMQ")
	}
	return v
}
