package plan

import (
	"fmt"
	"slices"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// Options say which moves are worth their copy. Shares are fractions of 1.
type Options struct {
	Evacuate   []string // identities of the arrays to empty
	Full       float64  // the share up to which an array may be filled
	Difference float64  // how far two arrays may be apart
	LeastGain  float64  // share of the difference that an evening move must take away
	Load       int64    // load_percent up to which an array takes an evening move
	MaxEvening int      // most evening moves
}

// Defaults are those of Storage DRS where it has them: 80 % of the space, 5 % difference.
func Defaults() Options {
	return Options{Full: 0.8, Difference: 0.05, LeastGain: 0.01, Load: 70, MaxEvening: 50}
}

// Pool is a logical pool with its volumes.
type Pool struct {
	Name, Zone string
	Arrays     []capability.Report
	Volumes    []Volume // in any order
}

// Volume is a volume on one of the arrays.
type Volume struct {
	volumeapi.Volume

	ID, Name string
	Physical *float64 // GiB that it uses on its array alone; nil if it is not known
	// Attachments is the number of attachments, Unserved of those that are to no server.
	Attachments, Unserved int
	Encrypted             bool
}

// Label names the volume for people.
func (v *Volume) Label() string {
	if v.Name == "" {
		return v.ID
	}
	return v.Name
}

// Judge returns why Cinder refuses a migration, or "" if it accepts it, with the reports of
// the pool as they are then. An error ends the plan.
type Judge func(q volumeapi.Migrate, reports []capability.Report) (refusal string, err error)

// Kind is why a move is in a plan.
type Kind string

// The kinds of moves.
const (
	Evacuate Kind = "evacuate"
	Relieve  Kind = "relieve"
	Even     Kind = "even"
)

// Mandatory reports whether the move is to be made in any case.
func (k Kind) Mandatory() bool { return k != Even }

// Move is one migration.
type Move struct {
	Volume   *Volume
	From, To string // pools, host@backend#pool
	Kind     Kind
	Reason   string
	// ToHost is the destination by its host, as a migration names it: To if it is in no
	// cluster.
	ToHost string
}

// Stay is a volume that should be moved and cannot be.
type Stay struct {
	Volume  *Volume
	On      string // its pool
	Emptied bool   // whether that is to be emptied, and not only too full
	Reasons []string
}

// Plan is what to do with one pool.
type Plan struct {
	Moves  []Move // in the order in which they are to be made
	Stay   []Stay // on arrays that are to be emptied or are too full
	Arrays []Array
	// Cut is whether there would be more evening moves than are permitted.
	Cut bool
	// Idle is why nothing is evened although arrays are apart; "" if none are, or if they
	// are evened.
	Idle string
}

// Array is an array before and after the plan.
type Array struct {
	Backend, Pool string
	Emptied       bool
	Before, After Figures
}

// Figures are those of one array. A share is nil if the array does not report its terms.
type Figures struct {
	Volumes     int // of those that Cinder has
	Used        *float64
	Provisioned *float64
}

// Make makes the plan of a pool. Its error is that of the judge, or names an array to empty
// that is not in the pool.
func Make(p Pool, o Options, judge Judge) (*Plan, error) {
	s, err := newState(p, o, judge)
	if err != nil {
		return nil, err
	}
	before := s.figures()
	moves, err := s.moves()
	if err != nil {
		return nil, err
	}
	out := &Plan{Moves: moves, Cut: s.cut, Idle: s.idle}
	if out.Stay, err = s.stay(); err != nil {
		return nil, err
	}
	after := s.figures()
	for i, a := range s.arrays {
		out.Arrays = append(out.Arrays, Array{Backend: a.first.Name(), Pool: a.pool, Emptied: a.emptied, Before: before[i], After: after[i]})
	}
	return out, nil
}

func newState(p Pool, o Options, judge Judge) (*state, error) {
	s := &state{options: o, judge: judge, volumes: slices.Clone(p.Volumes), refusals: map[question]string{}}
	slices.SortFunc(s.volumes, compareVolumes)
	byPool := map[string]int{}
	for i, r := range p.Arrays {
		a := newArray(r)
		a.emptied = slices.Contains(o.Evacuate, r.Identity())
		byPool[a.pool] = i
		s.arrays = append(s.arrays, a)
	}
	for _, name := range o.Evacuate {
		if !slices.ContainsFunc(p.Arrays, func(r capability.Report) bool { return r.Identity() == name }) {
			return nil, fmt.Errorf("empty %s: it is not in the pool %s", name, p.Name)
		}
	}
	s.volumes = slices.DeleteFunc(s.volumes, func(v Volume) bool {
		_, known := byPool[v.Pool]
		return !known
	})
	for i := range s.volumes {
		s.at = append(s.at, byPool[s.volumes[i].Pool])
		s.fixed = append(s.fixed, obstacle(&s.volumes[i]))
	}
	return s, nil
}
