package decision

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher/status"
)

// Engine decides as the scheduler of a configuration does, with one of the
// policies strict and prefer. What is neither Cinder's own nor known here is left out,
// and the decisions list it. Its error names the options.
func Engine(s config.Scheduler, policy string) (*placement.Engine, error) {
	return newEngine(options(s, policy))
}

func newEngine(o cinder.Options, plugins ...placement.Plugin) (*placement.Engine, error) {
	engine, err := cinder.NewEngine(o, plugins...)
	if err != nil {
		return nil, fmt.Errorf("scheduler_default_filters and scheduler_default_weighers: %w", err)
	}
	return engine, nil
}

func options(s config.Scheduler, policy string) cinder.Options {
	o := Options(s)
	o.Policy = policyOf(policy)
	return o
}

// Options are the scheduler's settings for the placement core.
func Options(s config.Scheduler) cinder.Options {
	return cinder.Options{
		Filters: s.Filters, Weighers: s.Weighers,
		Multipliers: map[string]float64{
			cinder.CapacityWeigher:          s.CapacityMultiplier,
			cinder.AllocatedCapacityWeigher: s.AllocatedCapacityMultiplier,
			cinder.VolumeNumberWeigher:      s.VolumeNumberMultiplier,
		},
		MaxOverSubscriptionRatio: setup.RatioText(s.MaxOverSubscription),
		Handler:                  s.Handler, LeaveOutUnknown: true,
	}
}

// decide returns a decision, also if no backend fits. Where nothing was drawn the
// request of the decision has no seed, so that the same question has the same answer.
func decide(engine *placement.Engine, s *placement.Snapshot, request *cinder.Request) (*placement.Decision, error) {
	d, err := engine.DecideOn(s, request)
	if err != nil && !errors.Is(err, placement.ErrNoPool) {
		return nil, fmt.Errorf("decide: %w", err)
	}
	if d.Drawn || request.RandomSeed == 0 {
		return d, nil
	}
	unseeded := *request
	unseeded.RandomSeed = 0
	return decide(engine, s, &unseeded)
}

// ForPage decides on a volume that is described by the form of the status page or by
// a request to /v1/place. The type is that of the query's name; nil for none.
func ForPage(c *Cloud, q status.Query, t *cinder.VolumeType) (status.Decision, error) {
	create := volumeapi.Create{Size: q.Size, Zone: q.Zone, Type: typeOf(q, t)}
	if q.Policy != "strict" && q.Policy != "prefer" {
		return status.Decision{}, fmt.Errorf("policy %q: want strict or prefer", q.Policy)
	}
	for key, value := range q.QoS {
		if create.QoS == nil {
			create.QoS = capability.Set{}
		}
		create.QoS[key] = capability.OfString(value)
	}
	reader := volumeapi.HintReader{Backends: c.Backends.Reports}
	for _, hint := range q.Hints {
		if err := reader.Read(context.Background(), &create.Hints, hint[0], hint[1]); err != nil {
			return status.Decision{}, fmt.Errorf("hint %s: %w", hint[0], err)
		}
	}
	answer, err := c.Ask(Question{Create: &create, Policy: q.Policy})
	if err != nil {
		return status.Decision{}, err
	}
	now := time.Now()
	out := status.Decision{
		JSON: answer.JSON(now), Summary: answer.Summary(), Fits: answer.Fits(),
		Notes: answer.Notes, Basis: answer.Backends.Lines(now),
	}
	if d := answer.Last(); d != nil {
		for _, l := range d.LeftOut {
			out.Summary += "; " + l.String()
		}
		for i := range d.Verdicts {
			out.Rows = append(out.Rows, decisionRow(&d.Verdicts[i]))
		}
	}
	return out, nil
}

// typeOf is the type with the extra specs of the query in the place of its own; nil if
// there is neither.
func typeOf(q status.Query, t *cinder.VolumeType) *cinder.VolumeType {
	if len(q.ExtraSpecs) == 0 {
		return t
	}
	given := cinder.ExtraSpecsOf(q.ExtraSpecs)
	if t == nil {
		return &cinder.VolumeType{Name: "of the form", ExtraSpecs: given}
	}
	return &cinder.VolumeType{Name: t.Name, ExtraSpecs: t.ExtraSpecs.With(given...)}
}

func decisionRow(v *placement.Verdict) status.DecisionRow {
	row := status.DecisionRow{Backend: v.Backend.Report().Name()}
	if !v.Fits() {
		row.Reason = refusalText(v)
		return row
	}
	row.Rank, row.Weight = strconv.Itoa(v.Rank), placement.FormatWeight(v.Total)
	if v.Tied {
		row.Rank += " (tie)"
	}
	row.Reason = strings.Join(v.Lines(), "; ")
	return row
}

// refusalText is the filter that refused, with every condition that is not met.
func refusalText(v *placement.Verdict) string {
	var parts []string
	for i, r := range v.Refusals() {
		if text := strings.TrimPrefix(r.String(), "refused by "); i == 0 || r.Later {
			parts = append(parts, text)
		} else {
			parts = append(parts, r.Reason)
		}
	}
	return strings.Join(parts, "; ")
}
