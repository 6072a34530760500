package simulator_test

import (
	"fmt"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// TestVaryKeepsIdentities reads frames of variations of each recording.
func TestVaryKeepsIdentities(t *testing.T) {
	all, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		for n := range 2 {
			name := fmt.Sprintf("array-%d", n)
			t.Run(f.Name+"/"+name, func(t *testing.T) {
				a := simulator.New(f.As(name, "192.0.2.1").Vary(name), simulator.Options{})
				l := environmentOf(t, a, simulator.ServeOptions{})
				for n := 0; n < a.Frames(); n += 3 {
					a.SetFrame(n)
					for _, path := range []string{"arrays", "arrays/space", "volumes", "hosts", "volume-snapshots"} {
						p := l.get(path + "?limit=10")
						for _, o := range append(p.Items, p.Total...) {
							checkSpace(t, path, space(o))
						}
					}
					for _, path := range []string{"arrays/performance", "volumes/performance"} {
						p := l.get(path + "?limit=10")
						for _, o := range append(p.Items, p.Total...) {
							checkLoad(t, path, o)
						}
					}
					checkPlausible(t, l)
				}
			})
		}
	}
}

// checkPlausible checks what holds between the numbers of an array that is not full
// and not overloaded.
func checkPlausible(t *testing.T, l *environment) {
	t.Helper()
	array := l.get("arrays/space").Items[0]
	s := space(array)
	used := num(s, "unique") + num(s, "snapshots") + num(s, "shared") + num(s, "system") + num(s, "replication")
	if share := used / num(array, "capacity"); share < 0.15 || share > 0.85 {
		t.Errorf("%.0f %% are used", 100*share)
	}
	if r := num(s, "data_reduction"); s["data_reduction"] != nil && (r < 2.5 || r > 6) {
		t.Errorf("the reduction is %v", r)
	}
	load := l.get("arrays/performance").Items[0]
	total, queue := num(load, "usec_per_read_op"), num(load, "queue_usec_per_read_op")
	if share := queue / total; num(load, "reads_per_sec") < 100 || share < 0.03 || share > 0.75 {
		t.Errorf("%v reads per second take %v µs, of which %v in the queue", load["reads_per_sec"], total, queue)
	}
}

func TestVaryByName(t *testing.T) {
	base := fixture(t, "flasharray-x-02")
	read := func(name string) [3]float64 {
		a := simulator.New(base.As("same", "192.0.2.1").Vary(name), simulator.Options{})
		l := environmentOf(t, a, simulator.ServeOptions{})
		a.SetFrame(0)
		return [3]float64{
			num(l.get("arrays/performance").Items[0], "reads_per_sec"), num(space(l.get("arrays/space").Items[0]), "unique"),
			num(l.get("volumes?limit=0&total_item_count=true").Total[0], "provisioned"),
		}
	}
	one, again, other := read("array-1"), read("array-1"), read("array-2")
	if one != again || one == other || one[0] == other[0] || one[1] == other[1] {
		t.Errorf("array-1 has %v, and again %v; array-2 has %v", one, again, other)
	}
}
