package plan

import (
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// moves chooses moves until none is worth its copy. The state is then that after them.
func (s *state) moves() ([]Move, error) {
	start := slices.Clone(s.at)
	steps, err := s.run()
	if err != nil {
		return nil, err
	}
	idle := s.idle
	moves, done, err := s.replay(start, merge(steps, start))
	if err == nil && !done {
		// A volume has to be moved twice: no order of direct moves is possible.
		moves, _, err = s.replay(start, steps)
	}
	s.idle = idle
	return moves, err
}

func (s *state) run() (steps []step, err error) {
	evening := 0
	for {
		m, err := s.next()
		if m == nil || err != nil {
			return steps, err
		}
		if m.kind == Even {
			if evening == s.options.MaxEvening {
				s.cut = true
				return steps, nil
			}
			evening++
		}
		steps = append(steps, *m)
		s.apply(*m)
	}
}

// merge makes one step of those of a volume, at the place of the last one. It is
// mandatory if one of them is. A volume that comes back is left out.
func merge(steps []step, start []int) []step {
	last, kinds := map[int]int{}, map[int]Kind{}
	for i, m := range steps {
		last[m.volume] = i
		if kinds[m.volume] == "" || m.kind.Mandatory() && !kinds[m.volume].Mandatory() {
			kinds[m.volume] = m.kind
		}
	}
	var out []step
	for i, m := range steps {
		if last[m.volume] == i && m.to != start[m.volume] {
			out = append(out, step{m.volume, m.to, kinds[m.volume]})
		}
	}
	return out
}

// replay makes steps from the start, each as soon as it is possible; done is whether all
// were.
func (s *state) replay(start []int, steps []step) (moves []Move, done bool, err error) {
	s.at = slices.Clone(start)
	for _, a := range s.arrays {
		a.reset()
	}
	for len(steps) > 0 {
		i, err := s.firstPossible(steps)
		if i < 0 || err != nil {
			return nil, false, err
		}
		moves = append(moves, s.describe(steps[i]))
		s.apply(steps[i])
		steps = slices.Delete(slices.Clone(steps), i, i+1)
	}
	return moves, true, nil
}

func (s *state) firstPossible(steps []step) (int, error) {
	for i, m := range steps {
		if i > 0 && slices.ContainsFunc(steps[:i], func(of step) bool { return of.volume == m.volume }) {
			continue
		}
		if s.arrays[m.to].with(s.delta(m.volume)).full() > s.options.Full || m.kind != Evacuate && !s.noWorse(m) {
			continue
		}
		refusal, err := s.refusal(m.volume, m.to)
		if err != nil {
			return 0, err
		}
		if refusal == "" {
			return i, nil
		}
	}
	return -1, nil
}

// describe is a step that is about to be made.
func (s *state) describe(m step) Move {
	from, to, d := s.arrays[s.at[m.volume]], s.arrays[m.to], s.delta(m.volume)
	out := Move{Volume: &s.volumes[m.volume], From: from.pool, To: to.pool, ToHost: to.host(), Kind: m.kind}
	switch m.kind {
	case Evacuate:
		out.Reason = to.text(to.with(d)) + " then"
	case Relieve:
		out.Reason = fmt.Sprintf("%s, over %s", from.text(from.shares), format.Percent(s.options.Full))
	default:
		out.Reason = fmt.Sprintf("%s to %s becomes %s to %s",
			format.Percent(from.shares.full()), format.Percent(to.shares.full()),
			format.Percent(from.with(negative(d)).full()), format.Percent(to.with(d).full()))
	}
	return out
}
