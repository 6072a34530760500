package decision

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/backends"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// Question is a request to cinder-api: exactly one of Create, Retype, Extend and
// Migrate is set.
type Question struct {
	Create  *volumeapi.Create
	Retype  *volumeapi.Retype
	Extend  *volumeapi.Extend
	Migrate *volumeapi.Migrate

	Count  int    // volumes to create, one after the other; 0 is one
	Policy string // strict or prefer
	Seed   uint64 // for what is random
}

// Answer is what cinder-api and the scheduler do with a request.
type Answer struct {
	// Decisions are one for each volume, the last one for the volume that no backend
	// has room for, if there is such a volume. There is none if cinder-api refuses the
	// request.
	Decisions []*placement.Decision
	Backends  *backends.Set // that were decided on
	// Refusal is set if cinder-api refuses the request.
	Refusal *volumeapi.RefusalError
	// Move is the result for a volume that exists; nil for a new one.
	Move *Move
	// Notes are remarks on the request, such as where its zone comes from.
	Notes []string

	draft  *cinder.Request // that was refused
	policy string
	reads  func(*capability.Report) []string // what the scheduler reads of a report
}

// Last is the last decision; nil if there is none.
func (a *Answer) Last() *placement.Decision {
	if len(a.Decisions) == 0 {
		return nil
	}
	return a.Decisions[len(a.Decisions)-1]
}

// Fits reports whether the request succeeds, as far as cinder-api and the scheduler
// decide on that.
func (a *Answer) Fits() bool {
	switch {
	case a.Refusal != nil:
		return false
	case a.Move != nil:
		return a.Move.Backend != nil
	}
	return a.Last().Chosen != nil
}

// Summary is the answer in one sentence.
func (a *Answer) Summary() string {
	switch {
	case a.Refusal != nil:
		return a.Refusal.Error()
	case a.Move != nil:
		return a.Move.Text
	}
	return a.Last().Summary()
}

// Ask returns what cinder-api and the scheduler do with a request. A refusal is an
// answer; an error says that no decision is possible.
func (c *Cloud) Ask(q Question) (*Answer, error) {
	request, notes, err := c.Request(q)
	if refusal := (*volumeapi.RefusalError)(nil); errors.As(err, &refusal) {
		return &Answer{Backends: c.Backends, Refusal: refusal, draft: q.draft(), policy: q.Policy}, nil
	}
	if err != nil {
		return nil, err
	}
	answer, err := c.Place(request, max(q.Count, 1), q.Policy)
	if err != nil {
		return nil, err
	}
	answer.Notes = notes
	answer.Move = q.move(answer.Last())
	answer.addLabels(c, request)
	return answer, nil
}

// OnlyLiveLimitsRefuse reports whether a new volume for which no backend fits would get
// one without the extra specs that limit live metrics.
func (c *Cloud) OnlyLiveLimitsRefuse(q Question) bool {
	if q.Create == nil {
		return false
	}
	q.Count, q.Policy = 1, "prefer"
	answer, err := c.Ask(q)
	return err == nil && answer.Fits() && slices.ContainsFunc(answer.Last().Relaxed, func(r placement.Condition) bool {
		return r.Filter == cinder.CapabilitiesFilter
	})
}

// Request is what the scheduler gets, with remarks on it. The error is a
// [*volumeapi.RefusalError] if cinder-api refuses the request.
func (c *Cloud) Request(q Question) (r *cinder.Request, notes []string, err error) {
	if r, notes, err = c.accept(q); err != nil {
		return nil, nil, err
	}
	r.RandomSeed = q.Seed
	return r, slices.Concat(notes, c.unusedHints(q.Create), c.unknownProperties(r)), nil
}

// accept is what cinder-api makes of a request, with where its type and zones come from.
func (c *Cloud) accept(q Question) (r *cinder.Request, notes []string, err error) {
	var note string
	switch {
	case q.Retype != nil:
		r, err = c.API.Retype(*q.Retype)
		note = q.Retype.Note()
	case q.Extend != nil:
		r, err = c.API.Extend(*q.Extend)
	case q.Migrate != nil:
		r, err = c.API.Migrate(*q.Migrate)
		note = q.Migrate.Note()
	default:
		if r, err = c.API.Create(*q.Create); err != nil {
			return nil, nil, err
		}
		var zones volumeapi.ZoneChoice
		zones, err = c.API.ChooseZones(*q.Create)
		note = c.API.ZoneNote(zones)
	}
	if q.Create != nil && c.API.UsesDefaultType(*q.Create) {
		notes = append(notes, "no type was requested: "+c.API.DefaultType.Name+" by default_volume_type of this host's cinder.conf; the file of the API host counts")
	}
	if note != "" {
		notes = append(notes, note)
	}
	return r, notes, err
}

// draft is the request as it was put.
func (q Question) draft() *cinder.Request {
	switch {
	case q.Retype != nil:
		return &cinder.Request{Size: q.Retype.Size, Type: q.Retype.NewType, ExistsOn: q.Retype.Pool}
	case q.Extend != nil:
		return &cinder.Request{Size: q.Extend.Size, NewSize: q.Extend.NewSize, Type: q.Extend.Type}
	case q.Migrate != nil:
		return &cinder.Request{Size: q.Migrate.Size, Type: q.Migrate.Type}
	}
	return q.Create.Draft()
}

// unusedHints are notes on hints that no filter of the scheduler reads.
func (c *Cloud) unusedHints(create *volumeapi.Create) []string {
	if create == nil {
		return nil
	}
	var notes []string
	for _, hint := range []struct {
		name, filter string
		given        bool
	}{
		{"same_host", cinder.SameBackendFilter, len(create.Hints.SameHost) > 0},
		{"different_host", cinder.DifferentBackendFilter, len(create.Hints.DifferentHost) > 0},
		{"query", cinder.JSONFilter, create.Hints.Query != ""},
		{"local_to_instance", cinder.InstanceLocalityFilter, create.Hints.InstanceHost != ""},
	} {
		isFilter := func(f string) bool { return placement.ClassName(f) == hint.filter }
		if hint.given && !slices.ContainsFunc(cinder.Profile(Options(c.Scheduler)).Filters, isFilter) {
			notes = append(notes, fmt.Sprintf("the hint %s has no effect: %s is not in scheduler_default_filters", hint.name, hint.filter))
		}
	}
	return notes
}

// unknownProperties is a note on functions that read a property which is not known.
func (c *Cloud) unknownProperties(r *cinder.Request) []string {
	var notes []string
	for _, name := range volumeapi.GivenProperties() {
		if _, known := r.Properties[name]; known {
			continue
		}
		for i := range c.Backends.Reports {
			if b := &c.Backends.Reports[i]; readsProperty(b.Capabilities, name) {
				notes = append(notes, fmt.Sprintf("a function of %s reads volume.%s, which is not known here: give it with --volume-property %s=VALUE", b.Name(), name, name))
				break
			}
		}
	}
	return notes
}

// JSON is the form for programs of an answer about one volume.
func (a *Answer) JSON(now time.Time) client.Answer {
	return client.Answer{DecisionJSON: a.decisionJSON(), Source: a.Backends.JSON(now)}
}

func (a *Answer) decisionJSON() placement.DecisionJSON {
	if a.Refusal != nil {
		return placement.DecisionJSON{
			Request: a.draft, Policy: policyOf(a.policy), Reason: a.Refusal.Error(),
			Relaxed: []placement.Condition{}, LeftOut: []placement.LeftOut{}, Backends: []placement.VerdictJSON{},
			RefusedByAPI: &placement.APIRefusalJSON{Exception: a.Refusal.Exception, Reason: a.Refusal.Reason},
		}
	}
	d := a.json(a.Last())
	d.Notes = a.Notes
	if a.Move != nil {
		a.Move.write(&d)
	}
	return d
}

func policyOf(name string) placement.Policy {
	if name == "prefer" {
		return placement.Prefer
	}
	return placement.Strict
}
