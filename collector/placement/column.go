package placement

import (
	"math"

	"github.com/poolcast/poolcast/collector/capability"
)

// Column is one capability of every backend of a snapshot. Equal values are kept
// once: a thousand arrays have few models and protocols, so a plug-in can decide
// once per value and look the result up per backend.
type Column struct {
	codes    []uint32
	distinct []capability.Value // by code; code 0 stands for "not reported"
	counts   bool
}

type columnKey string

// Column returns the column of a key. It is never nil; of a key that is not
// reported every code is 0.
func (s *Snapshot) Column(key string) *Column {
	return remember(s.shared, columnKey(key), func() *Column { return s.buildColumn(key) })
}

func (s *Snapshot) buildColumn(key string) *Column {
	c := &Column{codes: make([]uint32, len(s.backends)), distinct: make([]capability.Value, 1), counts: countsVolumes(key)}
	known := coder{column: c, scalars: map[scalar]uint32{}}
	for i := range s.backends {
		if v, ok := s.shared.read(s.backends[i].report, key); ok {
			c.codes[i] = known.code(v)
		}
	}
	return c
}

// Of returns the backend's value, and whether it has one. It is what
// [Backend.Value] returns, without looking the key up.
func (c *Column) Of(b *Backend) (capability.Value, bool) {
	v, ok := c.distinct[c.codes[b.index]], c.codes[b.index] != 0
	if c.counts && b.volumes != 0 {
		v = addVolumes(v, b.volumes)
	}
	return v, ok
}

// Code returns the index of the backend's value in [Column.Distinct]; 0 says that
// it reports none, and -1 that its value has changed since the report, so that only
// [Column.Of] has it.
func (c *Column) Code(b *Backend) int {
	if c.counts && b.volumes != 0 {
		return -1
	}
	return int(c.codes[b.index])
}

// Distinct returns the different values of the column by their codes. The
// first stands for "not reported". The slice must not be changed.
func (c *Column) Distinct() []capability.Value { return c.distinct }

// coder gives equal values the same code.
type coder struct {
	column  *Column
	scalars map[scalar]uint32
	nested  []uint32 // codes of lists and objects
}

// scalar is a value that is no list or object, in a form that can be compared.
type scalar struct {
	kind   capability.Kind
	number uint64
	text   string
}

// maxNested limits the search among lists and objects, which are compared one by
// one; beyond it each has a code of its own.
const maxNested = 16

func (c *coder) code(v capability.Value) uint32 {
	if v.Kind() == capability.List || v.Kind() == capability.Map {
		return c.codeNested(v)
	}
	key := scalarOf(v)
	if code, ok := c.scalars[key]; ok {
		return code
	}
	code := c.add(v)
	c.scalars[key] = code
	return code
}

func scalarOf(v capability.Value) scalar {
	s := scalar{kind: v.Kind()}
	switch s.kind {
	case capability.Bool:
		if b, _ := v.Bool(); b {
			s.number = 1
		}
	case capability.Int:
		i, ok := v.Int()
		if s.number = uint64(i); !ok { // too wide for 64 bits: its digits remain
			s.text = v.String()
		}
	case capability.Float:
		f, _ := v.Float()
		s.number = math.Float64bits(f)
	case capability.String:
		s.text, _ = v.Str()
	}
	return s
}

func (c *coder) codeNested(v capability.Value) uint32 {
	for _, code := range c.nested {
		if c.column.distinct[code].Equal(v) {
			return code
		}
	}
	code := c.add(v)
	if len(c.nested) < maxNested {
		c.nested = append(c.nested, code)
	}
	return code
}

func (c *coder) add(v capability.Value) uint32 {
	c.column.distinct = append(c.column.distinct, v)
	return uint32(len(c.column.distinct) - 1)
}
