package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Burst is a number of equal creates.
type Burst struct {
	// Request is the create that is repeated. Its seed is that of the first;
	// each further one has its own.
	Request *cinder.Request
	Count   int
	// Rate is how many creates there are in a second. The first comes one
	// step after a report.
	Rate float64
	// Interval is the time between two reports of an array.
	Interval time.Duration
	// Schedulers take creates in turn. Each receives every report.
	Schedulers int
	// Skew is by how much the timestamps of reports are ahead of the
	// schedulers' clocks; less than 0 if they are behind.
	Skew time.Duration
	// Fill is the share of its size that a volume takes from an array's free
	// space, 0…1.
	Fill float64
	// Operations are those per second that each volume adds, half of them
	// reads.
	Operations float64
	// Created is called after each create, by several goroutines under [Compare]; nil
	// is possible.
	Created func()
}

// The bounds of a burst.
const (
	maxCount      = 10000
	maxSchedulers = 100
)

// Check returns all faults of the burst.
func (b Burst) Check() error {
	var faults []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	refuse(b.Request == nil, "request: missing")
	refuse(b.Count < 1 || b.Count > maxCount, "count %d: want 1 to %d", b.Count, maxCount)
	refuse(!(b.Rate >= 1e-6 && b.Rate <= 1e6), "rate %v: want creates per second, such as 0.5", b.Rate)
	refuse(b.Interval < time.Second, "interval %s: want a second or more", b.Interval)
	refuse(b.Schedulers < 1 || b.Schedulers > maxSchedulers, "schedulers %d: want 1 to %d", b.Schedulers, maxSchedulers)
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

// lastReport is the moment of the last report at or before t.
func (b Burst) lastReport(t time.Time) time.Time {
	since := t.Sub(begin())
	return begin().Add(since - since%b.Interval)
}

// begin is when the first report is made; any moment serves.
func begin() time.Time { return time.Unix(0, 0).UTC() }

// Compare simulates the same burst under each setting and returns the outcomes in
// their order. It ends early, with an error, when the context does. The reports
// must not be changed meanwhile.
func Compare(ctx context.Context, reports []capability.Report, b Burst, settings []Setting) ([]Outcome, error) {
	if err := b.Check(); err != nil {
		return nil, err
	}
	outcomes, faults := make([]Outcome, len(settings)), make([]error, len(settings))
	var all sync.WaitGroup
	for i := range settings {
		all.Go(func() { outcomes[i], faults[i] = Run(ctx, reports, b, settings[i]) })
	}
	all.Wait()
	return outcomes, errors.Join(faults...)
}

// Run simulates a burst under one setting. A create without a backend is counted
// and is no error; a failed decision is.
func Run(ctx context.Context, reports []capability.Report, b Burst, s Setting) (Outcome, error) {
	if err := b.Check(); err != nil {
		return Outcome{}, err
	}
	p, err := newSimulation(reports, b, s)
	if err != nil {
		return Outcome{}, err
	}
	for i := range b.Count {
		if err := ctx.Err(); err != nil {
			return Outcome{}, err
		}
		if err := p.create(i); err != nil {
			return Outcome{}, fmt.Errorf("%s: create %d of %d: %w", s.Name, i+1, b.Count, err)
		}
		if b.Created != nil {
			b.Created()
		}
	}
	return p.outcome()
}

// simulation is one burst under one setting.
type simulation struct {
	burst      Burst
	setting    Setting
	database   database
	engine     *placement.Engine
	arrays     []*array
	schedulers []*scheduler
	round      *round    // the newest reports
	reported   time.Time // when they were made

	tied    int
	order   []string // the backend of each create, "" for none
	refused error    // of the first create that failed
	failed  int
}

func newSimulation(reports []capability.Report, b Burst, s Setting) (*simulation, error) {
	p := &simulation{burst: b, setting: s, database: database{}}
	var err error
	if p.engine, err = s.engine(p.database); err != nil {
		return nil, err
	}
	backends := cinder.NewSnapshot(reports)
	p.database.count(backends)
	for i := range backends.Len() {
		p.arrays = append(p.arrays, newArray(*backends.At(i).Report(), &p.setting, &p.burst))
	}
	mean := loadPerOperation(p.arrays)
	for _, a := range p.arrays {
		a.perOperation = mean
	}
	for range b.Schedulers {
		p.schedulers = append(p.schedulers, newScheduler(len(p.arrays), s.Ledger))
	}
	p.report(begin())
	return p, nil
}

// report collects a report of every array.
func (p *simulation) report(at time.Time) {
	p.reported = at
	p.round = &round{stamp: at.Add(p.burst.Skew)}
	for _, a := range p.arrays {
		p.round.reports = append(p.round.reports, a.report(p.round.stamp))
	}
}

func (p *simulation) create(i int) error {
	at := p.burst.at(i)
	if due := p.burst.lastReport(at); due.After(p.reported) {
		p.report(due)
	}
	s, r := p.schedulers[i%len(p.schedulers)], p.burst.request(i)
	s.update(p.round)
	choice, err := p.engine.Choose(s.current, r)
	if errors.Is(err, placement.ErrNoPool) {
		p.order = append(p.order, "")
		return p.fail(s.current, r)
	}
	if err != nil {
		return err
	}
	p.order = append(p.order, choice.Backend.Name())
	if choice.Tied > 1 {
		p.tied++
	}
	s.consume(choice.Backend, r, at)
	p.arrays[choice.Backend.Index()].place(float64(r.Size))
	p.database[choice.Backend.ID()]++
	return nil
}

// fail counts a create without a backend, and explains the first.
func (p *simulation) fail(s *placement.Snapshot, r *cinder.Request) error {
	if p.failed++; p.failed > 1 {
		return nil
	}
	_, err := p.engine.DecideOn(s, r)
	if !errors.Is(err, placement.ErrNoPool) {
		return errors.Join(errors.New("two decisions on the same backends differ"), err)
	}
	p.refused = err
	return nil
}
