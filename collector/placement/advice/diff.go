package advice

import (
	"errors"
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// Change is how a key of a report differs from the base report.
type Change string

// The changes.
const (
	Added   Change = "added"   // it is in the report only
	Changed Change = "changed" // it is in both, with different values
	Missing Change = "missing" // it is in the base report only
)

// KeyChange is one key in which a report differs from its base report.
type KeyChange struct {
	Key    string            `json:"key"`
	Change Change            `json:"change"`
	Old    *capability.Value `json:"old,omitempty"` // nil if added
	New    *capability.Value `json:"new,omitempty"` // nil if missing
	// Sent is whether the new value is in the overlay: only measured keys
	// replace those of the base report.
	Sent   bool   `json:"sent"`
	Unit   string `json:"unit,omitempty"`
	Source string `json:"source,omitempty"`
}

// CompareKeys compares a report with its base report; sent is the overlay of
// both. With a partial base only the keys it has are compared. The changes are in
// the order of their keys.
func CompareKeys(base, report, sent capability.Set, partial bool) []KeyChange {
	changes := []KeyChange{}
	all := base.Overlay(report)
	if partial {
		all = base
	}
	for _, key := range all.SortedKeys() {
		old, inBase := base[key]
		now, inReport := report[key]
		overlaid, isSent := sent[key]
		c := KeyChange{Key: key, Change: Changed, Old: &old, New: &now}
		switch {
		case !inReport:
			c.Change, c.New = Missing, nil
		case !inBase:
			c.Change, c.Old, c.Sent = Added, nil, isSent
		case old.Equal(now), sameNumber(old, now):
			continue
		default:
			c.Sent = overlaid.Equal(now)
		}
		if k, known := capability.LookupKey(key); known {
			c.Unit, c.Source = k.Unit, k.Source
		}
		changes = append(changes, c)
	}
	return changes
}

// Question is a request for which decisions are compared.
type Question struct {
	Name    string
	Request *cinder.Request
}

// Result is the rank or the refusal of one backend.
type Result struct {
	Backend string   `json:"backend"`
	Rank    int      `json:"rank"` // 0 if refused
	Weight  *float64 `json:"weight"`
	Refused string   `json:"refused,omitempty"`
}

// Effect is the decision for a question on two sets of reports. Backends are in
// the order of their ranks, those refused after them.
type Effect struct {
	Question string   `json:"question"`
	Before   []Result `json:"before"`
	After    []Result `json:"after"`
}

// Same reports whether the same backends fit, in the same order.
func (e Effect) Same() bool {
	return slices.EqualFunc(e.Before, e.After, func(a, b Result) bool { return a.Backend == b.Backend && a.Rank == b.Rank })
}

// Effects decides each question on the reports before and after a change.
func Effects(engine *placement.Engine, before, after []capability.Report, questions []Question) ([]Effect, error) {
	effects := []Effect{}
	was, will := cinder.NewSnapshot(before), cinder.NewSnapshot(after)
	for _, q := range questions {
		e := Effect{Question: q.Name}
		var err error
		if e.Before, err = results(engine, was, q.Request); err != nil {
			return nil, fmt.Errorf("decide on the base, %s: %w", q.Name, err)
		}
		if e.After, err = results(engine, will, q.Request); err != nil {
			return nil, fmt.Errorf("decide on the overlay, %s: %w", q.Name, err)
		}
		effects = append(effects, e)
	}
	return effects, nil
}

func results(engine *placement.Engine, s *placement.Snapshot, r *cinder.Request) ([]Result, error) {
	d, err := engine.DecideOn(s, r)
	if err != nil && !errors.Is(err, placement.ErrNoPool) {
		return nil, err
	}
	all := []Result{}
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		a := Result{Backend: v.Backend.Report().Name(), Rank: v.Rank}
		if v.Fits() {
			a.Weight = format.Finite(v.Total)
		} else {
			a.Refused = v.RefusedBy + ": " + v.Reason()
		}
		all = append(all, a)
	}
	return all, nil
}
