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

// Compare plays the same burst under each setting and returns the outcomes in
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

// Run plays a burst under one setting. A create for which there is no backend
// is counted and is no error; an error is what keeps the scheduler from
// deciding at all.
func Run(ctx context.Context, reports []capability.Report, b Burst, s Setting) (Outcome, error) {
	if err := b.Check(); err != nil {
		return Outcome{}, err
	}
	p, err := newPlay(reports, b, s)
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
	}
	return p.outcome()
}

// play is one burst under one setting.
type play struct {
	burst      Burst
	setting    Setting
	decider    *decider
	arrays     []*array
	schedulers []*scheduler
	news       *bulletin
	made       time.Time // when news was reported

	tied    int
	refused error // of the first create that failed
	failed  int
}

func newPlay(reports []capability.Report, b Burst, s Setting) (*play, error) {
	d, err := s.decider()
	if err != nil {
		return nil, err
	}
	p := &play{burst: b, setting: s, decider: d}
	known := cinder.NewSnapshot(reports)
	d.rows.count(known)
	for i := range known.Len() {
		p.arrays = append(p.arrays, newArray(*known.At(i).Report(), &p.setting, &p.burst))
	}
	for range b.Schedulers {
		p.schedulers = append(p.schedulers, newScheduler(len(p.arrays), s.Ledger))
	}
	p.report(begin())
	return p, nil
}

// report lets every array report.
func (p *play) report(at time.Time) {
	p.made = at
	p.news = &bulletin{stamp: at.Add(p.burst.Skew)}
	for _, a := range p.arrays {
		p.news.reports = append(p.news.reports, a.report(p.news.stamp))
	}
}

func (p *play) create(i int) error {
	at := p.burst.at(i)
	if due := p.burst.reported(at); due.After(p.made) {
		p.report(due)
	}
	s, r := p.schedulers[i%len(p.schedulers)], p.burst.request(i)
	s.look(p.news)
	choice, err := p.decider.engine.Choose(s.current, r)
	if errors.Is(err, placement.ErrNoPool) {
		return p.fail(s.current, r)
	}
	if err != nil {
		return err
	}
	if choice.Tied > 1 {
		p.tied++
	}
	s.consume(choice.Backend, r, at)
	p.arrays[choice.Backend.Index()].place(float64(r.Size))
	p.decider.rows.volumes[choice.Backend.ID()]++
	return nil
}

// fail counts a create that found no backend, and finds out why the first did.
func (p *play) fail(s *placement.Snapshot, r *cinder.Request) error {
	if p.failed++; p.failed > 1 {
		return nil
	}
	_, err := p.decider.engine.DecideOn(s, r)
	if !errors.Is(err, placement.ErrNoPool) {
		return errors.Join(errors.New("two decisions on the same backends differ"), err)
	}
	p.refused = err
	return nil
}
