package simulator

import (
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"strings"
)

// serial is a made-up object's number: a count of its kind, the live ones apart
// from the destroyed ones, so that neither is renamed when the other grows.
type serial struct {
	n         int
	destroyed bool
}

// generator makes the objects of one kind up, each from its serial alone.
type generator interface {
	item(s serial) object
	field(s serial, path string) (any, bool)
	find(key, value string) (serial, bool)
}

// grown is recorded objects followed by made-up ones: live, then destroyed.
type grown struct {
	recorded
	made            generator
	live, destroyed int // how many are made up
}

// grow makes up what is missing between the recorded objects and the count.
func grow(items []object, count Count, made generator) *grown {
	g := &grown{recorded: items, made: made, live: count.Live, destroyed: count.Destroyed}
	for _, o := range items {
		if dead, _ := o["destroyed"].(bool); dead {
			g.destroyed--
		} else {
			g.live--
		}
	}
	g.live, g.destroyed = max(g.live, 0), max(g.destroyed, 0)
	return g
}

func (g *grown) size() int { return len(g.recorded) + g.live + g.destroyed }

func (g *grown) serialAt(i int) (serial, bool) {
	i -= len(g.recorded)
	if i >= g.live {
		return serial{n: i - g.live, destroyed: true}, true
	}
	return serial{n: i}, i >= 0
}

func (g *grown) item(i int) object {
	if s, made := g.serialAt(i); made {
		return g.made.item(s)
	}
	return g.recorded.item(i)
}

func (g *grown) field(i int, path string) (any, bool) {
	s, made := g.serialAt(i)
	if !made {
		return g.recorded.field(i, path)
	}
	if path == "destroyed" {
		return s.destroyed, true
	}
	if v, ok := g.made.field(s, path); ok {
		return v, true
	}
	return lookup(g.made.item(s), path)
}

func (g *grown) find(key, value string) (int, bool) {
	if i, ok := g.recorded.find(key, value); ok {
		return i, true
	}
	s, ok := g.made.find(key, value)
	switch {
	case !ok:
		return 0, false
	case s.destroyed:
		return len(g.recorded) + g.live + s.n, s.n < g.destroyed
	}
	return len(g.recorded) + s.n, s.n < g.live
}

// where narrows to live or destroyed objects without a look at the made-up ones.
func (g *grown) where(destroyed bool) selection {
	kept := selection{{0, len(g.recorded)}}.where(func(i int) bool {
		dead, _ := g.recorded[i]["destroyed"].(bool)
		return dead == destroyed
	})
	from := len(g.recorded)
	if destroyed {
		return append(kept, span{from + g.live, from + g.live + g.destroyed})
	}
	return append(kept, span{from, from + g.live})
}

// namer turns serials into uuids and back. The last twelve digits hold the
// serial, scrambled by a multiplication that has an inverse; so a name is found
// without a list of names.
type namer struct{ seed uint64 }

const (
	scramble   = 0x5DEECE66D // odd, therefore invertible modulo 2^48
	unscramble = 0xDFE05BCB1365
	mask48     = 1<<48 - 1
)

func newNamer(words ...string) namer {
	h := fnv.New64a()
	for _, w := range words {
		_, _ = h.Write([]byte(w + "\x00"))
	}
	return namer{seed: h.Sum64()}
}

func (m namer) uuid(s serial) string {
	code := uint64(s.n) << 1
	if s.destroyed {
		code |= 1
	}
	tail := (code*scramble + m.seed) & mask48
	h := mix(m.seed ^ code)
	return fmt.Sprintf("%08x-%04x-4%03x-%x%03x-%012x", h>>32, h>>16&0xffff, h>>4&0xfff, 8+h&3, h>>20&0xfff, tail)
}

// serial is the inverse of uuid.
func (m namer) serial(uuid string) (serial, bool) {
	if len(uuid) != 36 {
		return serial{}, false
	}
	tail, err := strconv.ParseUint(uuid[24:], 16, 48)
	if err != nil {
		return serial{}, false
	}
	code := (tail - m.seed) * unscramble & mask48
	s := serial{n: int(code >> 1), destroyed: code&1 == 1}
	return s, strings.EqualFold(m.uuid(s), uuid)
}

// mix spreads the bits of a number (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// share is object i's part of a total split over n of them. The first get more
// than the last, and all parts together are the total to the last byte.
func share(total int64, i, n int) int64 {
	if n <= 0 || i < 0 || i >= n {
		return 0
	}
	return portion(total, i+1, n) - portion(total, i, n)
}

func portion(total int64, i, n int) int64 {
	if i >= n {
		return total
	}
	return int64(float64(total) * math.Sqrt(float64(i)/float64(n)))
}
