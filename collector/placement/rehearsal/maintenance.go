package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/internal/growth"
)

// Fleet are the backends of a rehearsal: those of some reports, with backends taken out
// and empty arrays added.
type Fleet struct {
	Reports []capability.Report
	All     []capability.Report // before the change
	Without []string            // the names of the backends taken out
	Added   []string            // the names of the empty arrays
}

// Maintain takes backends out and adds an empty array like each of with. They are given
// by section, host@section or cluster@section, and one name may be added several times.
// ratio is the over-subscription ratio of an empty array whose model has an automatic
// one. The errors list the backends.
func Maintain(reports []capability.Report, without, with []string, ratio float64) (*Fleet, error) {
	f := &Fleet{All: reports}
	gone := make([]bool, len(reports))
	for _, name := range without {
		i, err := find(reports, name)
		if err != nil {
			return nil, fmt.Errorf("--without %w", err)
		}
		if !gone[i] {
			f.Without = append(f.Without, reports[i].Name())
		}
		gone[i] = true
	}
	for i, r := range reports {
		if !gone[i] {
			f.Reports = append(f.Reports, r)
		}
	}
	for _, name := range with {
		i, err := find(reports, name)
		if err != nil {
			return nil, fmt.Errorf("--with %w", err)
		}
		r := f.empty(reports[i], ratio)
		f.Reports, f.Added = append(f.Reports, r), append(f.Added, r.Name())
	}
	if len(f.Reports) == 0 && len(without) > 0 {
		return nil, fmt.Errorf("--without takes out all of %s: no backend is left", format.List(namesOf(reports)))
	}
	return f, nil
}

// Changed reports whether a backend was taken out or added.
func (f *Fleet) Changed() bool { return len(f.Without)+len(f.Added) > 0 }

func find(reports []capability.Report, name string) (int, error) {
	for i, r := range reports {
		if name == r.Name() || name == r.Host || name == r.Identity() {
			return i, nil
		}
	}
	text := fmt.Sprintf("%s: no report of such a backend; there are %s", name, format.List(namesOf(reports)))
	if near := format.Nearest(name, namesOf(reports)); near != "" {
		text += "; did you mean " + near + "?"
	}
	return 0, errors.New(text)
}

func namesOf(reports []capability.Report) []string {
	names := make([]string, len(reports))
	for i, r := range reports {
		names[i] = r.Name()
	}
	return names
}

// empty is the report of an array like another one, without volumes and without load. It
// has a name of its own, and comes last.
func (f *Fleet) empty(like capability.Report, ratio float64) capability.Report {
	suffix := "-new"
	for n := 2; slices.Contains(f.Added, like.Name()+suffix); n++ {
		suffix = "-new" + strconv.Itoa(n)
	}
	r := like
	r.Backend, r.Host = like.Name()+suffix, like.Host+suffix
	if like.Cluster != "" {
		r.Cluster = like.Cluster + suffix
	}
	r.Capabilities = like.Capabilities.Clone()
	for _, key := range emptyKeys() {
		switch r.Capabilities[key].Kind() {
		case capability.Int:
			r.Capabilities[key] = capability.OfInt(0)
		case capability.Float:
			r.Capabilities[key] = capability.OfFloat(0)
		}
	}
	if _, ok := r.Capabilities[capability.KeyLoadClass]; ok {
		r.Capabilities[capability.KeyLoadClass] = capability.OfString(capability.LoadLow)
	}
	if total, ok := r.Capabilities[capability.KeyTotalCapacity]; ok {
		r.Capabilities[capability.KeyFreeCapacity] = total
	}
	if growth.IsAutomatic(like.Capabilities) {
		r.Capabilities[capability.KeyMaxOverSubscription] = capability.OfFloat(ratio)
	}
	for _, key := range []string{
		capability.KeyDataReduction, capability.KeyTotalReduction, capability.KeyDataReductionPercent,
		capability.KeyDedupeRatio, capability.KeyAvgLatency,
	} {
		delete(r.Capabilities, key) // an empty array has none
	}
	return r
}

// emptyKeys are the numbers that are 0 on an empty and idle array: objects, operations,
// latencies, and what is provisioned.
func emptyKeys() []string {
	keys := []string{capability.KeyProvisionedCapacity, capability.KeyAllocatedCapacity}
	for _, k := range capability.Keys() {
		if k.Origin == capability.FromArray && (k.Kind == capability.Int || k.Name == capability.KeyAvgThroughput) {
			keys = append(keys, k.Name)
		}
	}
	return keys
}

// Share is what the added arrays take of a burst under one setting.
type Share struct {
	Volumes int64   `json:"volumes"`
	Equal   float64 `json:"equal_share"` // the volumes that they would take if each array took the same number
	// First is how many creates, from the first one on, go to added arrays, and For the
	// time until the one after them; 0 for the latter if there is none.
	First int           `json:"first_in_a_row"`
	For   time.Duration `json:"-"`
}

// shareOf is the share of the arrays of those names.
func (o *Outcome) shareOf(added []string, b Burst) Share {
	s := Share{}
	ours := 0
	for _, a := range o.Arrays {
		if slices.Contains(added, a.Backend) {
			s.Volumes += a.Volumes
			ours++
		}
	}
	if len(o.Arrays) > 0 {
		s.Equal = float64(o.Placed*ours) / float64(len(o.Arrays))
	}
	for s.First < len(o.Order) && slices.Contains(added, o.Order[s.First]) {
		s.First++
	}
	if s.First > 0 && s.First < len(o.Order) {
		s.For = b.at(s.First).Sub(b.at(0))
	}
	return s
}

// Flood is what the added arrays take under the first setting, and under the setting of
// Cinder with which they take the most equal share.
type Flood struct {
	Added  []string `json:"arrays"`
	Now    Share    `json:"now"`
	Better *Share   `json:"best"` // null if no other setting is nearer to an equal share
	// Setting is the name of the better one, With what it differs in.
	Setting string `json:"best_setting,omitempty"`
	With    string `json:"-"`
	Count   int    `json:"-"`
}

// FloodOf compares the shares of added arrays. Settings that only poolcast has are not
// compared, and neither are those with which more creates fail.
func FloodOf(added []string, b Burst, outcomes []Outcome) *Flood {
	if len(added) == 0 || len(outcomes) == 0 {
		return nil
	}
	f := &Flood{Added: added, Now: outcomes[0].shareOf(added, b), Count: b.Count}
	least := math.Abs(float64(f.Now.Volumes)-f.Now.Equal) - 1 // a volume more or less is equal
	for i := range outcomes[1:] {
		o := &outcomes[i+1]
		s := o.shareOf(added, b)
		distance := math.Abs(float64(s.Volumes) - s.Equal)
		if o.Setting.OnlyPoolcast || o.Failed > outcomes[0].Failed || distance >= least {
			continue
		}
		least, f.Better, f.Setting, f.With = distance, &s, o.Setting.Name, o.Setting.With
	}
	return f
}

// String is one sentence.
func (f *Flood) String() string {
	text := fmt.Sprintf("%d of %s go to %s, and an equal share is %s", f.Now.Volumes,
		format.Count(f.Count, "volume"), format.List(f.Added), format.Significant(f.Now.Equal, 3))
	switch {
	case f.Now.First == f.Count && f.Count > 1:
		text += "; every create does, and a greater --count shows until when"
	case f.Now.For > 0:
		text += fmt.Sprintf("; the first %s in a row do, for %s", format.Count(f.Now.First, "create"), f.Now.For.Round(time.Second))
	}
	if f.Better == nil {
		return text + ". No other setting of Cinder is nearer to an equal share."
	}
	return text + fmt.Sprintf(". With %s it is %d.", f.With, f.Better.Volumes)
}

// Change is what taking backends out and adding empty arrays does to a burst.
type Change struct {
	Without []string `json:"without"`
	// All and Rest are how many creates find a backend with all backends and after the
	// change; Taken is how many of the former go to the backends taken out.
	All   int    `json:"placed_with_all_backends"`
	Rest  int    `json:"placed"`
	Taken int64  `json:"placed_on_backends_taken_out"`
	Flood *Flood `json:"added"` // null if no array is added
	Count int    `json:"-"`
}

// ChangeOf compares the first outcome with the same burst on all backends. It is nil for
// a fleet that has not changed.
func ChangeOf(ctx context.Context, f *Fleet, b Burst, outcomes []Outcome) (*Change, error) {
	if !f.Changed() || len(outcomes) == 0 {
		return nil, nil
	}
	all, err := Run(ctx, f.All, b, outcomes[0].Setting)
	if err != nil {
		return nil, err
	}
	c := &Change{
		Without: append([]string{}, f.Without...), All: all.Placed, Rest: outcomes[0].Placed,
		Flood: FloodOf(f.Added, b, outcomes), Count: b.Count,
	}
	for _, a := range all.Arrays {
		if slices.Contains(f.Without, a.Backend) {
			c.Taken += a.Volumes
		}
	}
	return c, nil
}

// Sentences say what changes.
func (c *Change) Sentences() []string {
	var out []string
	if len(c.Without) > 0 {
		names := format.List(c.Without)
		out = append(out, fmt.Sprintf("Without %s %d of %s find a backend; with all backends %d do, and %d of these volumes go to %s.",
			names, c.Rest, format.Count(c.Count, "create"), c.All, c.Taken, names))
	}
	if c.Flood != nil {
		out = append(out, c.Flood.String())
	}
	return out
}
