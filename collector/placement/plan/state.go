package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement/internal/growth"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// state is the pool with the moves so far. Volumes and arrays are numbered.
type state struct {
	options Options
	judge   Judge

	arrays  []*array
	volumes []Volume
	at      []int    // the array of each volume
	fixed   []string // why a volume cannot be moved anywhere

	refusals map[question]string
	cut      bool
	idle     string
}

// question is what the decision of the judge depends on.
type question struct {
	kind    string // type of the volume
	size    int64
	inUse   bool
	to      int
	version int // of the destination
}

// step is a move of a volume to an array.
type step struct {
	volume, to int
	kind       Kind
}

// delta is what a volume adds to an array. Without its physical use it may use its size.
func (s *state) delta(volume int) growth.Volumes {
	v := &s.volumes[volume]
	d := growth.Volumes{Count: 1, GiB: float64(v.Size), Physical: float64(v.Size)}
	if v.Physical != nil {
		d.Physical = *v.Physical
	}
	return d
}

func negative(d growth.Volumes) growth.Volumes {
	return growth.Volumes{Count: -d.Count, GiB: -d.GiB, Physical: -d.Physical}
}

func (s *state) apply(m step) {
	d := s.delta(m.volume)
	s.arrays[s.at[m.volume]].add(negative(d))
	s.arrays[m.to].add(d)
	s.at[m.volume] = m.to
}

func (s *state) figures() []Figures {
	counts := make([]int, len(s.arrays))
	for _, at := range s.at {
		counts[at]++
	}
	out := make([]Figures, len(s.arrays))
	for i, a := range s.arrays {
		out[i] = a.figures(counts[i])
	}
	return out
}

// migration is the request for a move.
func (s *state) migration(volume, to int) volumeapi.Migrate {
	v := s.volumes[volume].Volume
	v.Pool = s.arrays[s.at[volume]].pool
	return volumeapi.Migrate{Volume: v, To: s.arrays[to].pool, ToCluster: s.arrays[to].first.Cluster != ""}
}

// refusal is why Cinder refuses a move now; "" if it accepts it.
func (s *state) refusal(volume, to int) (string, error) {
	v := &s.volumes[volume]
	q := question{size: v.Size, inUse: v.InUse, to: to, version: s.arrays[to].version}
	if v.Type != nil {
		q.kind = v.Type.Name
	}
	if text, known := s.refusals[q]; known && len(v.Properties) == 0 {
		return text, nil
	}
	reports := make([]capability.Report, len(s.arrays))
	for i, a := range s.arrays {
		reports[i] = a.now()
	}
	text, err := s.judge(s.migration(volume, to), reports)
	if err != nil {
		return "", fmt.Errorf("judge the migration of %s to %s: %w", v.ID, s.arrays[to].pool, err)
	}
	s.refusals[q] = text
	return text, nil
}

// apiRefusal is why cinder-api refuses to migrate a volume anywhere.
func apiRefusal(v *Volume) string {
	_, err := volumeapi.Cloud{}.Migrate(volumeapi.Migrate{Volume: v.Volume, To: "another"})
	if refusal := (*volumeapi.RefusalError)(nil); errors.As(err, &refusal) {
		return refusal.Reason
	}
	return ""
}

// sources are the arrays of a kind, the fullest first; targets those that may take
// volumes, the least full first.
func (s *state) sources(of func(*array) bool) []int {
	var list []int
	for i, a := range s.arrays {
		if of(a) {
			list = append(list, i)
		}
	}
	s.byFullness(list)
	return list
}

func (s *state) targets(of func(*array) bool) []int {
	list := s.sources(func(a *array) bool { return a.known && !a.emptied && of(a) })
	slices.Reverse(list)
	return list
}

func all(*array) bool { return true }

// on are the volumes of an array that can be moved and whose physical use is known.
func (s *state) on(at int) []int {
	var list []int
	for i := range s.volumes {
		if s.at[i] == at && s.fixed[i] == "" && s.volumes[i].Physical != nil {
			list = append(list, i)
		}
	}
	return list
}

// stay are the volumes that should have been moved, with the reasons.
func (s *state) stay() ([]Stay, error) {
	var out []Stay
	for i := range s.volumes {
		a := s.arrays[s.at[i]]
		tooFull := a.known && a.shares.full() > s.options.Full && len(s.options.Evacuate) == 0
		if !a.emptied && !tooFull {
			continue
		}
		one := Stay{Volume: &s.volumes[i], On: a.pool, Emptied: a.emptied}
		if s.fixed[i] != "" {
			one.Reasons = []string{s.fixed[i]}
		} else {
			var err error
			if one.Reasons, err = s.obstacles(i); err != nil {
				return nil, err
			}
		}
		if len(one.Reasons) > 0 {
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(a, b Stay) int { return cmp.Compare(a.On, b.On) })
	return out, nil
}

// obstacles are why no array takes a volume, one for each.
func (s *state) obstacles(volume int) ([]string, error) {
	if s.volumes[volume].Physical == nil && !s.arrays[s.at[volume]].emptied {
		return []string{"the space that it uses on the array is not known"}, nil
	}
	var why []string
	for to, a := range s.arrays {
		if to == s.at[volume] {
			continue
		}
		text, err := s.obstacleOf(volume, to)
		if err != nil {
			return nil, err
		}
		if text != "" {
			why = append(why, a.first.Name()+": "+text)
		}
	}
	if len(s.arrays) == 1 {
		why = append(why, "the pool has no other array")
	}
	return why, nil
}

func (s *state) obstacleOf(volume, to int) (string, error) {
	a := s.arrays[to]
	switch {
	case a.emptied:
		return "is to be emptied too", nil
	case !a.known:
		return "does not report its capacity", nil
	}
	if text, err := s.refusal(volume, to); err != nil || text != "" {
		return text, err
	}
	if full := a.with(s.delta(volume)); full.full() > s.options.Full {
		return fmt.Sprintf("would be %s full, over %s", format.Percent(full.full()), format.Percent(s.options.Full)), nil
	}
	return "", nil
}
