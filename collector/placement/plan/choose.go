package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// next chooses the next move: to empty an array if one is to be emptied, else to relieve
// one, else to even two.
func (s *state) next() (*step, error) {
	if len(s.options.Evacuate) > 0 {
		return s.evacuate()
	}
	if m, err := s.relieve(); m != nil || err != nil {
		return m, err
	}
	return s.even()
}

// evacuate moves the greatest volume of an array that is to be emptied to the array that
// is least full then.
func (s *state) evacuate() (*step, error) {
	for _, from := range s.sources(func(a *array) bool { return a.emptied }) {
		for _, volume := range s.greatestFirst(from) {
			for _, to := range s.leastFull(volume) {
				refusal, err := s.refusal(volume, to)
				if err != nil {
					return nil, err
				}
				if refusal == "" {
					return &step{volume, to, Evacuate}, nil
				}
			}
		}
	}
	return nil, nil
}

// greatestFirst are the movable volumes of an array.
func (s *state) greatestFirst(from int) []int {
	var list []int
	for i := range s.volumes {
		if s.at[i] == from && s.fixed[i] == "" {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(i, j int) int {
		a, b := s.delta(i), s.delta(j)
		return cmp.Or(cmp.Compare(b.Physical, a.Physical), cmp.Compare(b.GiB, a.GiB))
	})
	return list
}

// leastFull are the arrays that have room for a volume, in the order of how full it makes
// them.
func (s *state) leastFull(volume int) []int {
	d := s.delta(volume)
	list := s.targets(func(a *array) bool { return a.with(d).full() <= s.options.Full })
	slices.SortStableFunc(list, func(i, j int) int {
		return cmp.Compare(s.arrays[i].with(d).full(), s.arrays[j].with(d).full())
	})
	return list
}

// candidate is a possible move, with what it gains for its copy.
type candidate struct {
	step
	gain, perGiB float64
}

// best returns the candidate with the greatest gain for its copy that Cinder accepts.
func (s *state) best(list []candidate) (*step, error) {
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.perGiB, a.perGiB), cmp.Compare(b.gain, a.gain))
	})
	for i := range list {
		refusal, err := s.refusal(list[i].volume, list[i].to)
		if err != nil {
			return nil, err
		}
		if refusal == "" {
			return &list[i].step, nil
		}
	}
	return nil, nil
}

// relieve moves a volume off the fullest array that is fuller than permitted.
func (s *state) relieve() (*step, error) {
	tooFull := func(a *array) bool { return a.known && !a.emptied && a.shares.full() > s.options.Full }
	for _, from := range s.sources(tooFull) {
		for _, to := range s.targets(all) {
			m, err := s.best(s.between(from, to, Relieve))
			if m != nil || err != nil {
				return m, err
			}
		}
	}
	return nil, nil
}

// even moves a volume between the two arrays that are furthest apart and can be evened.
func (s *state) even() (*step, error) {
	s.idle = ""
	for _, from := range s.sources(func(a *array) bool { return a.known && !a.emptied }) {
		for _, to := range s.targets(all) {
			if s.apart(from, to) <= s.options.Difference {
				break // the others are fuller
			}
			if s.arrays[to].busy(s.options.Load) {
				s.note("%s has more load than %d %%, and takes no volume for evenness", to, s.options.Load)
				continue
			}
			m, err := s.best(s.between(from, to, Even))
			if m != nil || err != nil {
				s.idle = ""
				return m, err
			}
			s.note("no volume can be moved to %s that takes away %s of the difference, makes nothing worse and is accepted there", to, format.Percent(s.options.LeastGain))
		}
	}
	return nil, nil
}

// note keeps the first reason why nothing is evened.
func (s *state) note(text string, to int, limit any) {
	if s.idle == "" {
		s.idle = fmt.Sprintf(text, s.arrays[to].first.Name(), limit)
	}
}

func (s *state) apart(from, to int) float64 {
	return s.arrays[from].shares.full() - s.arrays[to].shares.full()
}

// between are the moves from one array to another that are worth their copy and make
// nothing worse.
func (s *state) between(from, to int, kind Kind) []candidate {
	if from == to {
		return nil
	}
	var list []candidate
	for _, volume := range s.on(from) {
		if gain, ok := s.gain(step{volume, to, kind}); ok {
			list = append(list, candidate{step{volume, to, kind}, gain, gain / float64(max(1, s.volumes[volume].Size))})
		}
	}
	return list
}

// gain is what a move takes away: of what is too much on a full array, or of the
// difference between two arrays.
func (s *state) gain(m step) (gain float64, ok bool) {
	from, to, d := s.arrays[s.at[m.volume]], s.arrays[m.to], s.delta(m.volume)
	a, b := from.shares.full(), to.shares.full()
	fromAfter, toAfter := from.with(negative(d)).full(), to.with(d).full()
	if toAfter > s.options.Full || toAfter >= a || fromAfter >= a || !s.noWorse(m) {
		return 0, false
	}
	if m.kind == Relieve {
		return min(a-fromAfter, a-s.options.Full), true
	}
	gain = (a - b) - max(fromAfter-toAfter, toAfter-fromAfter)
	return gain, a-b > s.options.Difference && gain > 0 && gain >= s.options.LeastGain*(a-b)
}

// noWorse reports whether no figure of the pool becomes worse by a move: how full the
// fullest array is, and in used and in provisioned space the highest share and the spread.
// Of arrays that are not further apart than permitted, the last two may change.
func (s *state) noWorse(m step) bool {
	d := s.delta(m.volume)
	before, after := newExtremes(), newExtremes()
	for i, a := range s.arrays {
		if !a.known || a.emptied {
			continue
		}
		now := a.shares
		before.add(now)
		switch i {
		case s.at[m.volume]:
			now = a.with(negative(d))
		case m.to:
			now = a.with(d)
		}
		after.add(now)
	}
	return after.noWorseThan(before, s.options.Difference)
}

// extremes are the highest and the lowest shares of a pool.
type extremes struct{ high, low shares }

func newExtremes() extremes { return extremes{low: shares{1e300, 1e300}} }

func (e *extremes) add(s shares) {
	e.high = shares{max(e.high.used, s.used), max(e.high.provisioned, s.provisioned)}
	e.low = shares{min(e.low.used, s.used), min(e.low.provisioned, s.provisioned)}
}

// rounding is how much a share may grow by rounding alone.
const rounding = 1e-9

func (e extremes) noWorseThan(before extremes, apart float64) bool {
	return e.high.full() <= before.high.full()+rounding &&
		noWorse(e.high.used, e.low.used, before.high.used, before.low.used, apart) &&
		noWorse(e.high.provisioned, e.low.provisioned, before.high.provisioned, before.low.provisioned, apart)
}

// noWorse compares a share of the pool: its highest and lowest, before with after.
func noWorse(high, low, highBefore, lowBefore, apart float64) bool {
	return high-low <= apart || high <= highBefore+rounding && high-low <= highBefore-lowBefore+rounding
}
