package review

import (
	"errors"
	"fmt"
	"math"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Change says how a key of ours relates to the base.
type Change string

// The changes.
const (
	Added   Change = "added"   // we report it, the base does not
	Changed Change = "changed" // both do, with different values
	Missing Change = "missing" // the base has it, we do not
)

// KeyChange is one key in which a report differs from its base.
type KeyChange struct {
	Key    string            `json:"key"`
	Change Change            `json:"change"`
	Old    *capability.Value `json:"old,omitempty"` // nil if added
	New    *capability.Value `json:"new,omitempty"` // nil if missing
	// Sent is whether the scheduler is told the new value: only what is
	// measured is laid over the base.
	Sent   bool   `json:"sent"`
	Unit   string `json:"unit,omitempty"`
	Source string `json:"source,omitempty"`
}

// Keys compares a report with the base that it is laid over; sent is the
// result of that. Of a partial base only the keys it has are compared. The
// changes are in the order of their keys.
func Keys(base, report, sent capability.Set, partial bool) []KeyChange {
	changes := []KeyChange{}
	all := base.Overlay(report)
	if partial {
		all = base
	}
	for _, key := range all.SortedKeys() {
		old, inBase := base[key]
		now, inReport := report[key]
		told, isSent := sent[key]
		c := KeyChange{Key: key, Change: Changed, Old: &old, New: &now}
		switch {
		case !inReport:
			c.Change, c.New = Missing, nil
		case !inBase:
			c.Change, c.Old, c.Sent = Added, nil, isSent
		case old.Equal(now), sameNumber(old, now):
			continue
		default:
			c.Sent = told.Equal(now)
		}
		if k, known := capability.LookupKey(key); known {
			c.Unit, c.Source = k.Unit, k.Source
		}
		changes = append(changes, c)
	}
	return changes
}

// Question is a request to compare answers to.
type Question struct {
	Name    string
	Request *cinder.Request
}

// Answer is what became of one backend.
type Answer struct {
	Backend string   `json:"backend"`
	Rank    int      `json:"rank"` // 0 if refused
	Weight  *float64 `json:"weight"`
	Refused string   `json:"refused,omitempty"`
}

// Effect is how a question is answered on two sets of reports. Backends are in
// the order of their ranks, those refused after them.
type Effect struct {
	Question string   `json:"question"`
	Before   []Answer `json:"before"`
	After    []Answer `json:"after"`
}

// Same reports whether the same backends fit, in the same order.
func (e Effect) Same() bool {
	if len(e.Before) != len(e.After) {
		return false
	}
	for i := range e.Before {
		if e.Before[i].Backend != e.After[i].Backend || e.Before[i].Rank != e.After[i].Rank {
			return false
		}
	}
	return true
}

// Effects asks each question on what was and on what will be.
func Effects(engine *placement.Engine, before, after []capability.Report, questions []Question) ([]Effect, error) {
	effects := []Effect{}
	was, will := cinder.NewSnapshot(before), cinder.NewSnapshot(after)
	for _, q := range questions {
		e := Effect{Question: q.Name}
		var err error
		if e.Before, err = answers(engine, was, q.Request); err != nil {
			return nil, fmt.Errorf("decide on the base, %s: %w", q.Name, err)
		}
		if e.After, err = answers(engine, will, q.Request); err != nil {
			return nil, fmt.Errorf("decide on the overlay, %s: %w", q.Name, err)
		}
		effects = append(effects, e)
	}
	return effects, nil
}

func answers(engine *placement.Engine, s *placement.Snapshot, r *cinder.Request) ([]Answer, error) {
	d, err := engine.DecideOn(s, r)
	if err != nil && !errors.Is(err, placement.ErrNoPool) {
		return nil, err
	}
	all := []Answer{}
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		a := Answer{Backend: backendName(v.Backend.Report()), Rank: v.Rank}
		if v.Fits() {
			a.Weight = finite(v.Total)
		} else {
			a.Refused = v.RefusedBy + ": " + v.Reason()
		}
		all = append(all, a)
	}
	return all, nil
}

// finite is nil for what JSON cannot say.
func finite(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}
